package ui

// Findings that are known and accepted, in a file for odxray audit --baseline.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/odxray/odxray/flows/report"
)

// baselineFile is proposed where none was named yet.
const baselineFile = "odxray-baseline.json"

// maxBaseline bounds a baseline that is added to, in bytes.
const maxBaseline = 256 << 20

// askBaseline asks for the file that the selected finding is added to.
func (u *ui) askBaseline(file string) {
	switch p, ok := u.pages[u.page].(*findings); {
	case !ok || u.help != nil || p.selected() == nil:
		u.say("findings, on page %d, can be added to a baseline", findingsPage+1)
	case u.job != nil:
		u.say("%s is being written; Esc stops that", u.job.file)
	case file != "":
		u.baseline(file)
	default:
		file = baselineFile
		if past := u.history[baselinePrompt]; len(past) > 0 {
			file = past[len(past)-1]
		}
		u.ask(baselinePrompt)
		u.prompt.field.SetText(file)
	}
}

// baseline adds the selected finding to a file, or makes it. What is there and no baseline
// stays as it is.
func (u *ui) baseline(file string) {
	f := u.pages[findingsPage].(*findings).selected()
	if f == nil {
		return
	}
	res, files := u.res, []string{u.file}
	finding := *f
	j := &job{file: file, of: 1}
	u.job = j
	j.stop = u.asides.begin(func(ctx context.Context) {
		j.said, j.err = addToBaseline(ctx, file, func(w io.Writer, old []byte) (bool, error) {
			return report.AddToBaseline(w, old, files, res, &finding)
		})
		j.done.Store(true)
	})
	u.followJob()
}

// addToBaseline has add make of file what it is then, and says what became of it.
func addToBaseline(ctx context.Context, file string, add func(w io.Writer, old []byte) (bool, error)) (string, error) {
	old, err := readBaseline(file)
	if err != nil {
		return "", err
	}
	var doc bytes.Buffer
	added, err := add(&doc, old)
	switch {
	case err != nil:
		return "", fmt.Errorf("no baseline, and not changed: %w", err)
	case !added:
		return file + " has this finding already", nil
	}
	err = save(ctx, file, old != nil, func(w io.Writer) error {
		_, err := w.Write(doc.Bytes())
		return err
	})
	if old == nil {
		return "made " + file + " of this finding: odxray audit --baseline leaves it out", err
	}
	return "added this finding to " + file, err
}

// readBaseline returns what a file holds; nil if there is none.
func readBaseline(file string) ([]byte, error) {
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errors.New("not a file")
	case info.Size() > maxBaseline:
		return nil, fmt.Errorf("too large for a baseline: %s", report.Size(uint64(info.Size())))
	}
	old, err := os.ReadFile(file)
	if old == nil && err == nil {
		old = []byte{}
	}
	return old, err
}
