package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// layers is the way that data goes: a package imports only from its own folder and
// from those before it. Longer names win.
var layers = []string{"captures", "dissect", "rdma", "flows", "flows/audit", "flows/report", "replay", "ui", "cmd"}

const module = "github.com/odxray/odxray/"

// layer returns the position of a package's folder in layers, -1 if it is in none.
func layer(pkg string) int {
	best := -1
	for i, l := range layers {
		if (pkg == l || strings.HasPrefix(pkg, l+"/")) && (best < 0 || len(l) > len(layers[best])) {
			best = i
		}
	}
	return best
}

// TestLayers: an import never points back, and only wire knows byte order.
func TestLayers(t *testing.T) {
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go") {
			return err
		}
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		from := layer(path.Dir(rel))
		if from < 0 {
			t.Errorf("%s is in no layer", rel)
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, i := range f.Imports {
			imported := strings.Trim(i.Path.Value, `"`)
			if pkg, ok := strings.CutPrefix(imported, module); ok && layer(pkg) > from {
				t.Errorf("%s imports %s, which comes after it", rel, pkg)
			}
			if imported == "encoding/binary" && strings.HasPrefix(rel, "dissect/") && !strings.HasPrefix(rel, "dissect/wire/") {
				t.Errorf("%s reads numbers past package wire", rel)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
