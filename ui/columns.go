package ui

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// columns that a user chose: which, in what order, and how wide.

// columnName is how commands and users call a column.
func (l *list) columnName(i int) string { return cmp.Or(l.columns[i].name, l.columns[i].title) }

// shownColumns lists the columns that are shown if there is room, in their order.
func (l *list) shownColumns() []int {
	if l.chosenColumns == nil {
		l.allColumns = l.allColumns[:0]
		for i := range l.columns {
			if !l.columns[i].extra {
				l.allColumns = append(l.allColumns, i)
			}
		}
		return l.allColumns
	}
	return l.chosenColumns
}

// column returns the column of a name, or -1.
func (l *list) column(name string) int {
	for i := range l.columns {
		if strings.EqualFold(l.columnName(i), strings.TrimSpace(name)) {
			return i
		}
	}
	return -1
}

// columnList returns the list that commands about columns are for, or nil.
func (u *ui) columnList() *list {
	if u.menu != nil || u.help != nil || !u.filled() {
		return nil
	}
	l, _ := u.pane().(*list)
	return l
}

// choosesColumns tells whether there are columns here to choose.
func choosesColumns(u *ui) bool { return u.columnList() != nil }

// setColumns shows the columns of a comma-separated list, in its order; "all" those that
// there were at first. "" lets the user choose.
func (u *ui) setColumns(arg string) {
	l := u.columnList()
	switch {
	case l == nil:
		u.say("there are no columns here")
		return
	case arg == "":
		u.editColumns(l)
		return
	case arg == "all":
		l.chosenColumns, l.wider = nil, nil
		return
	}
	var chosen []int
	for name := range strings.SplitSeq(arg, ",") {
		i := l.column(name)
		if i < 0 && l.addField != nil {
			i = l.addField(strings.TrimSpace(name))
		}
		switch {
		case i < 0:
			u.fail("there is no column %q: there are %s", strings.TrimSpace(name), strings.Join(l.columnNames(), ", "))
			return
		case !slices.Contains(chosen, i):
			chosen = append(chosen, i)
		}
	}
	l.chosenColumns = chosen
}

func (l *list) columnNames() (names []string) {
	for i := range l.columns {
		names = append(names, l.columnName(i))
	}
	return names
}

// choose makes the default choice one that can be changed.
func (l *list) chooseColumns() {
	if l.chosenColumns == nil {
		l.chosenColumns = slices.Clone(l.shownColumns())
	}
}

// toggleColumn shows a column, after the others, or does not any more. The last one stays.
func (l *list) toggleColumn(i int) {
	l.chooseColumns()
	switch k := slices.Index(l.chosenColumns, i); {
	case k < 0:
		l.chosenColumns = append(l.chosenColumns, i)
	case len(l.chosenColumns) > 1:
		l.chosenColumns = slices.Delete(l.chosenColumns, k, k+1)
	}
}

// moveColumn moves a column that is shown by 1 or -1.
func (l *list) moveColumn(i, by int) {
	l.chooseColumns()
	k := slices.Index(l.chosenColumns, i)
	if to := k + by; k >= 0 && to >= 0 && to < len(l.chosenColumns) {
		l.chosenColumns[k], l.chosenColumns[to] = l.chosenColumns[to], l.chosenColumns[k]
	}
}

// widenColumn makes a column wider, or narrower down to one character.
func (l *list) widenColumn(i, by int) {
	if l.wider == nil {
		l.wider = make(map[int]int)
	}
	l.wider[i] = min(max(l.wider[i]+by, -100), 200)
}

// editColumns opens the menu of columns.
func (u *ui) editColumns(l *list) {
	m := &menu{title: "Columns: Enter shows or hides, < and > move, + and - widen and narrow, s sorts, Esc ends", stays: true}
	rows := func() []int { // those that are shown, then the others
		rows := slices.Clone(l.shownColumns())
		for i := range l.columns {
			if !slices.Contains(rows, i) {
				rows = append(rows, i)
			}
		}
		return rows
	}
	fill := func() {
		m.items = m.items[:0]
		for _, i := range rows() {
			sign := "☐"
			if slices.Contains(l.shownColumns(), i) {
				sign = "☑"
			}
			label := l.columnName(i)
			if n := l.wider[i]; n != 0 {
				label += fmt.Sprintf("  (%+d)", n)
			}
			if l.order.by == i+1 {
				label += "  " + l.arrow(i)
			}
			m.add(sign, label, nil)
		}
	}
	fill()
	on := func(do func(i int)) func(int) {
		return func(k int) {
			i := rows()[k]
			do(i)
			fill()
			m.list.choose(slices.Index(rows(), i))
		}
	}
	m.pick = on(l.toggleColumn)
	m.keys = map[string]func(int){
		"Space": m.pick,
		"<":     on(func(i int) { l.moveColumn(i, -1) }), ">": on(func(i int) { l.moveColumn(i, 1) }),
		"+": on(func(i int) { l.widenColumn(i, 1) }), "-": on(func(i int) { l.widenColumn(i, -1) }),
		"s": on(l.sortBy),
	}
	u.open(m)
}

// moreColumns offers the columns that are not shown, fewerColumns those that are.
func (u *ui) moreColumns() { u.offerColumns("Show which column?", false) }

func (u *ui) fewerColumns() { u.offerColumns("Hide which column?", true) }

func (u *ui) offerColumns(title string, shown bool) {
	l := u.columnList()
	if l == nil {
		u.say("there are no columns here")
		return
	}
	m := &menu{title: title}
	for i := range l.columns {
		if slices.Contains(l.shownColumns(), i) == shown {
			m.add("", l.columnName(i), func() { l.toggleColumn(i) })
		}
	}
	if len(m.items) == 0 {
		u.say("all columns are shown, as far as there is room")
		return
	}
	u.open(m)
}

// sort sorts the list by a column; a - before its name puts the largest first. "" lets the
// user choose.
func (u *ui) sort(arg string) {
	l := u.columnList()
	if l == nil {
		u.say("there is nothing to sort here")
		return
	}
	if arg == "" {
		m := &menu{title: "Sort by which column? Again turns it round, a third time ends it"}
		for _, i := range l.shownColumns() {
			m.add("", strings.TrimSpace(l.columnName(i)+" "+l.arrow(i)), func() { l.sortBy(i) })
		}
		u.open(m)
		return
	}
	name, down := strings.CutPrefix(arg, "-")
	i := l.column(name)
	switch {
	case arg == "off":
		l.unsort()
	case i < 0:
		u.fail("there is no column %q: there are %s", name, strings.Join(l.columnNames(), ", "))
	default:
		l.unsort()
		l.order.by, l.order.down = i+1, down
	}
}

// arrow says how a column is sorted.
func (l *list) arrow(i int) string {
	switch {
	case l.order.by != i+1:
		return ""
	case l.order.down:
		return "▼"
	}
	return "▲"
}

// sortWords and columnWords are what :sort and :columns may be given.
func (u *ui) sortWords() (words []string) {
	for _, name := range u.columnWords() {
		words = append(words, name, "-"+name)
	}
	return append(words, "off")
}

func (u *ui) columnWords() []string {
	if l := u.columnList(); l != nil {
		return append(l.columnNames(), "all")
	}
	return nil
}
