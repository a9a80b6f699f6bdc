// Package samples holds small captures, embedded for `odxray demo` and for tests.
// README.md lists them.
package samples

import (
	"bytes"
	"embed"
	"io/fs"

	"github.com/odxray/odxray/captures"
)

// Demo is the sample that `odxray demo` opens: a Windows client copies a sparse
// file of 1.75 GB with offloaded reads and writes.
const Demo = "copy-sparse2.snoop"

//go:embed *.snoop
var files embed.FS

// Names lists the samples, sorted.
func Names() []string {
	// The pattern is constant and sound, so there is no error.
	names, _ := fs.Glob(files, "*")
	return names
}

// Bytes returns the file of a sample.
func Bytes(name string) ([]byte, error) { return files.ReadFile(name) }

// Open opens a sample; its packets can be read at any place.
func Open(name string) (*captures.Reader, error) {
	b, err := Bytes(name)
	if err != nil {
		return nil, err
	}
	return captures.NewReader(bytes.NewReader(b), name)
}
