package ui

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/gdamore/tcell/v2"

	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/report"
)

// outlet is something that can be written to a file.
type outlet struct {
	word  string // that the command line knows it by
	label string
	file  string // name that is proposed
	of    int    // how many there are of what it writes
	write func(ctx context.Context, w io.Writer, wrote func(n int)) error
}

// job is a file being written.
type job struct {
	file string
	of   int
	at   atomic.Int64
	done atomic.Bool
	err  error  // valid once done, as is said
	said string // what became of it; "" for how much was written
	stop context.CancelFunc
}

// outlets lists what can be written here.
func (u *ui) outlets() (found []outlet) {
	page := strings.ToLower(u.names[u.page])
	if l, ok := u.active().(*list); ok && u.help == nil && u.filled() {
		found = append(found, u.rowOutlets(l, page)...)
	}
	frames := func(word, label string, of []int) {
		if len(of) > 0 {
			found = append(found, outlet{"pcapng-" + word, fmt.Sprintf("%s as pcapng: %s", report.Plural(len(of), "frame", "frames"), label), "odxray-" + word + ".pcapng", len(of),
				func(ctx context.Context, w io.Writer, wrote func(n int)) error {
					return u.src.Write(ctx, w, of, nil, wrote)
				}})
		}
	}
	frames("marks", "the marked ones", u.marked())
	if p, ok := u.pages[u.page].(*packets); ok && u.help == nil && p.count() <= maxSorted {
		shown := make([]int, p.count())
		for line := range shown {
			shown[line] = p.list.at(line) + 1
		}
		frames("shown", "all that the list shows", shown)
	}
	if copy, _, _ := u.around(); copy > 0 {
		frames("copy", fmt.Sprintf("the calls of copy %d", copy), copyFrames(u.res, copy))
	}
	if u.page != packetsPage {
		var of []int
		for _, t := range u.targets() {
			if t.page == packetsPage {
				of = append(of, t.at+1)
			}
		}
		frames("selected", "those of what is selected", sortedFrames(of))
	}
	return found
}

// aside returns a list that can be asked for rows in any goroutine.
func (l *list) aside(rows []int) *list {
	if l.frozen != nil {
		return l.frozen()
	}
	known := make(map[int][]string, len(rows))
	for _, i := range rows {
		cells := make([]string, len(l.columns))
		l.row(i, cells)
		known[i] = cells
	}
	return &list{columns: l.columns, row: func(i int, cells []string) tcell.Style {
		copy(cells, known[i])
		return plain
	}}
}

// rowOutlets writes the rows of a list.
func (u *ui) rowOutlets(l *list, page string) []outlet {
	n := l.count()
	if n == 0 || n > maxSorted {
		return nil
	}
	rows := make([]int, n)
	for line := range rows {
		rows[line] = l.at(line)
	}
	shown := slices.Clone(l.shownColumns())
	from := l.aside(rows)
	from.chosenColumns = shown
	each := func(ctx context.Context, wrote func(n int), row func(i int, cells []string) error) error {
		cells := make([]string, len(from.columns))
		for k, i := range rows {
			if k%256 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			clear(cells)
			from.row(i, cells)
			if err := row(i, cells); err != nil {
				return err
			}
			wrote(k + 1)
		}
		return nil
	}
	pick := func(cells []string) []string {
		picked := make([]string, 0, len(shown))
		for _, k := range shown {
			picked = append(picked, clean(cells[k]))
		}
		return picked
	}
	names := pick(l.columnNames())
	text := func(ctx context.Context, w io.Writer, wrote func(n int)) error {
		if _, err := fmt.Fprintln(w, strings.Join(names, "\t")); err != nil {
			return err
		}
		return each(ctx, wrote, func(_ int, cells []string) error {
			_, err := fmt.Fprintln(w, strings.Join(pick(cells), "\t"))
			return err
		})
	}
	table := func(ctx context.Context, w io.Writer, wrote func(n int)) error {
		out := csv.NewWriter(w)
		if err := out.Write(names); err != nil {
			return err
		}
		err := each(ctx, wrote, func(_ int, cells []string) error { return out.Write(pick(cells)) })
		out.Flush()
		return errors.Join(err, out.Error())
	}
	objects := func(ctx context.Context, w io.Writer, wrote func(n int)) error {
		return each(ctx, wrote, func(i int, _ []string) error {
			_, err := fmt.Fprintf(w, "%s\n", from.json(i))
			return err
		})
	}
	if l.report != nil {
		print := l.report(rows)
		objects = func(_ context.Context, w io.Writer, _ func(n int)) error { return print(w) }
	}
	what := report.Plural(n, "row", "rows")
	return []outlet{
		{"text", what + " as text, with tabs between columns", "odxray-" + page + ".txt", n, text},
		{"csv", what + " as CSV", "odxray-" + page + ".csv", n, table},
		{"json", what + " as JSON, an object a line", "odxray-" + page + ".json", n, objects},
	}
}

// copyFrames lists the frames of a copy's calls.
func copyFrames(r *flows.Results, id int) (frames []int) {
	for i := range r.Copies {
		if c := &r.Copies[i]; c.ID == id {
			for k := range c.Calls {
				call := &c.Calls[k]
				frames = append(frames, call.Frame, call.Answer, call.Interim)
				frames = append(frames, call.Repeats...)
			}
		}
	}
	return sortedFrames(frames)
}

// sortedFrames sorts frames, each once.
func sortedFrames(frames []int) []int {
	slices.Sort(frames)
	return slices.DeleteFunc(slices.Compact(frames), func(n int) bool { return n == 0 })
}

// export asks what to write and where to. arg is an outlet's word and a file, or "".
func (u *ui) export(arg string) {
	if u.job != nil {
		u.say("%s is being written; Esc stops that", u.job.file)
		return
	}
	outlets := u.outlets()
	if arg != "" {
		word, file, _ := strings.Cut(arg, " ")
		var words []string
		for _, o := range outlets {
			if words = append(words, o.word); o.word == word {
				if file = strings.TrimSpace(file); file == "" {
					file = o.file
				}
				u.write(o, file, false)
				return
			}
		}
		u.fail("what can be exported here: %s", strings.Join(words, ", "))
		return
	}
	m := &menu{title: "Export"}
	for i, o := range outlets {
		m.add(string("tcjpsdfghi"[min(i, 9)]), o.label, func() {
			u.ask(exportPrompt)
			u.prompt.outlet = o
			u.prompt.field.SetText(o.file)
		})
	}
	if len(m.items) == 0 {
		u.say("there is nothing here to export")
		return
	}
	u.open(m)
}

// exportWords are what :export may begin with.
func (u *ui) exportWords() (words []string) {
	for _, o := range u.outlets() {
		words = append(words, o.word+" "+o.file)
	}
	return words
}

// write writes o to a file. One that exists is asked about first.
func (u *ui) write(o outlet, file string, over bool) {
	if _, err := os.Lstat(file); err == nil && !over {
		m := &menu{title: file + " exists"}
		m.add("a", "write to another file", func() {
			u.ask(exportPrompt)
			u.prompt.outlet = o
			u.prompt.field.SetText(file)
		})
		m.add("o", "overwrite it", func() { u.write(o, file, true) })
		u.open(m)
		return
	}
	j := &job{file: file, of: o.of}
	u.job = j
	j.stop = u.asides.begin(func(ctx context.Context) {
		j.err = save(ctx, file, over, func(w io.Writer) error {
			return o.write(ctx, w, func(n int) { j.at.Store(int64(n)) })
		})
		j.done.Store(true)
	})
	u.followJob()
}

// followJob says what became of the file that was being written.
func (u *ui) followJob() bool {
	j := u.job
	if j == nil || !j.done.Load() {
		return j != nil
	}
	u.job = nil
	switch {
	case errors.Is(j.err, context.Canceled):
		u.say("%s was not written", j.file)
	case j.err != nil:
		var at *fs.PathError
		if errors.As(j.err, &at) {
			u.fail("%v: %s", at.Err, j.file) // what is worth most comes first, for the line may be cut
		} else {
			u.fail("%s: %v", j.file, j.err)
		}
	case j.said != "":
		u.say("%s", j.said)
	default:
		u.say("wrote %s: %d", j.file, j.of)
	}
	return true
}

// save has write fill a file, which is there as a whole or as it was before. Only with
// over may there be one already.
func save(ctx context.Context, file string, over bool, write func(w io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(file), ".odxray-*")
	if err != nil {
		return err
	}
	defer func() {
		_ = f.Close()
		_ = os.Remove(f.Name()) // it has another name by now, or should not stay
	}()
	out := bufio.NewWriter(f)
	if err := errors.Join(write(out), ctx.Err()); err != nil {
		return err
	}
	if err := errors.Join(out.Flush(), f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	if over {
		return os.Rename(f.Name(), file)
	}
	if err = os.Link(f.Name(), file); err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	// A file system without links.
	if _, err := os.Lstat(file); err == nil {
		return &fs.PathError{Op: "write", Path: file, Err: fs.ErrExist}
	}
	return os.Rename(f.Name(), file)
}
