package ui

import (
	"cmp"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// saved is what is known of a capture when it is opened again: where the user was, the
// marks and the filter.
type saved struct {
	Size   int64  `json:"size"` // of the capture in bytes: of another one nothing is restored
	Page   string `json:"page"`
	Row    int    `json:"row"` // position in the page's first list
	Marks  []int  `json:"marks,omitempty"`
	Filter string `json:"filter,omitempty"`
}

// settings are those of all captures.
type settings struct {
	Theme   string                    `json:"theme,omitempty"`
	Times   string                    `json:"times,omitempty"`
	Columns map[string]columnSettings `json:"columns,omitempty"` // by page and pane
}

// columnSettings are those of a list, columns by their names.
type columnSettings struct {
	Shown []string       `json:"shown,omitempty"` // in their order
	Wider map[string]int `json:"wider,omitempty"`
}

// maxSavedBytes bounds a file of state, and how many there may be.
const (
	maxSavedBytes = 1 << 20
	maxSavedFiles = 500
)

// restore brings back what Options name, as far as it is there and makes sense. What does
// not is left out: a file of state is nothing to fail for.
func (u *ui) restore(o Options) {
	var set settings
	if load(o.Settings, &set) {
		if i := slices.Index(timeForms, set.Times); i >= 0 {
			u.times = timeForm(i)
		}
		if i := slices.Index(themeNames(), set.Theme); i >= 0 {
			u.theme = themes[i]
		}
		u.eachList(func(name string, l *list) {
			l.apply(set.Columns[name])
		})
	}
	var s saved
	if !load(o.State, &s) {
		return
	}
	if s.Filter != "" && u.compile(s.Filter) == nil {
		u.filter = s.Filter
		for _, p := range u.pages {
			if p, ok := p.(sifter); ok {
				p.narrow(s.Filter)
			}
		}
	}
	if _, size := u.src.Progress(); size != s.Size {
		return
	}
	for _, n := range s.Marks[:min(len(s.Marks), maxMarked)] {
		if n > 0 {
			if u.marks == nil {
				u.marks = make(map[int]bool)
			}
			u.marks[n] = true
		}
	}
	if page := slices.Index(u.names[:ladderPage], s.Page); page >= 0 && s.Row >= 0 {
		u.resume = &place{page: page, sel: s.Row}
	}
}

// resumeAt goes where the user was, once that is there, unless something was done meanwhile.
func (u *ui) resumeAt() {
	at := u.resume
	if at == nil || u.touched {
		u.resume = nil
		return
	}
	l, ok := u.pages[at.page].panes()[0].(*list)
	if !ok {
		u.resume = nil
		return
	}
	of := u.pages[at.page].count()
	switch at.page {
	case packetsPage:
		of = u.frames
	case exchangesPage:
		of = u.exchanges
	}
	if of <= at.sel && !u.ended {
		return
	}
	u.resume = nil
	if of > at.sel {
		u.page, u.resumed = at.page, true
		l.visit(at.sel)
	}
}

// save keeps what restore brings back.
func (u *ui) save(o Options) error {
	s := saved{Page: u.names[u.page], Marks: u.marked(), Filter: u.filter}
	_, s.Size = u.src.Progress()
	if u.page >= ladderPage && len(u.trail) > 0 {
		s.Page, s.Row = u.names[u.trail[len(u.trail)-1].page], u.trail[len(u.trail)-1].sel
	} else if l, ok := u.pages[u.page].panes()[0].(*list); ok {
		s.Row = max(l.chosen(), 0)
	}
	set := settings{Theme: u.theme.name, Times: timeForms[u.times], Columns: make(map[string]columnSettings)}
	u.eachList(func(name string, l *list) {
		if c := l.settings(); c.Shown != nil || c.Wider != nil {
			set.Columns[name] = c
		}
	})
	err := store(o.State, &s)
	if o.State != "" {
		forgetOldest(filepath.Dir(o.State))
	}
	var before settings
	if !load(o.Settings, &before) && set.Theme == themes[0].name && set.Times == timeForms[relative] && len(set.Columns) == 0 {
		return err // nothing to keep, and nothing that it would replace
	}
	return errors.Join(err, store(o.Settings, &set))
}

// eachList calls do with the lists of all pages, and the names that settings know them by.
func (u *ui) eachList(do func(name string, l *list)) {
	for i, p := range u.pages {
		for k, pane := range p.panes() {
			if l, ok := pane.(*list); ok {
				do(strings.ToLower(u.names[i])+"/"+[...]string{"list", "second", "third"}[min(k, 2)], l)
			}
		}
	}
}

// settings are what the user changed of the columns.
func (l *list) settings() (c columnSettings) {
	if l.chosenColumns != nil {
		for _, i := range l.chosenColumns {
			c.Shown = append(c.Shown, l.columnName(i))
		}
	}
	for i, n := range l.wider {
		if n != 0 {
			if c.Wider == nil {
				c.Wider = make(map[string]int)
			}
			c.Wider[l.columnName(i)] = n
		}
	}
	return c
}

func (l *list) apply(c columnSettings) {
	var chosen []int
	for _, name := range c.Shown {
		i := l.column(name)
		if i < 0 && l.addField != nil {
			i = l.addField(name)
		}
		if i >= 0 && !slices.Contains(chosen, i) {
			chosen = append(chosen, i)
		}
	}
	l.chosenColumns = chosen
	for name, n := range c.Wider {
		if i := l.column(name); i >= 0 {
			l.widenColumn(i, n)
		}
	}
}

// load fills v from a file, if there is one that makes sense.
func load(file string, v any) bool {
	if file == "" {
		return false
	}
	if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() || info.Size() > maxSavedBytes {
		return false
	}
	b, err := os.ReadFile(file)
	return err == nil && json.Unmarshal(b, v) == nil
}

// store writes v to a file that only its user can read, and makes the folder.
func store(file string, v any) error {
	if file == "" {
		return nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".odxray-*")
	if err != nil {
		return err
	}
	_, err = f.Write(append(b, '\n'))
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // nobody needs half of it
	}
	return err
}

// forgetOldest removes the oldest files of state where there are very many.
func forgetOldest(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) <= maxSavedFiles {
		return
	}
	var files []fs.FileInfo
	for _, e := range entries {
		if info, err := e.Info(); err == nil && strings.HasSuffix(e.Name(), ".json") && info.Mode().IsRegular() {
			files = append(files, info)
		}
	}
	slices.SortFunc(files, func(a, b fs.FileInfo) int {
		return cmp.Or(a.ModTime().Compare(b.ModTime()), cmp.Compare(a.Name(), b.Name()))
	})
	for _, info := range files[:max(len(files)-maxSavedFiles, 0)] {
		_ = os.Remove(filepath.Join(dir, info.Name())) // another may have
	}
}
