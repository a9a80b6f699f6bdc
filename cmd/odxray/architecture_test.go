package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// layers is the way that data goes: a package imports only from its own folder and
// from those before it. Longer names win.
var layers = []string{"captures", "dissect", "rdma", "flows", "flows/audit", "flows/report", "replay", "ui", "cmd", "bench"}

const module = "github.com/odxray/odxray/"

// drawn are the packages that the terminal may know: it decodes nothing itself.
var drawn = map[string]bool{"flows": true, "flows/audit": true, "flows/report": true, "dissect/wire": true, "dissect/filter": true}

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
			if pkg, ok := strings.CutPrefix(imported, module); ok && strings.HasPrefix(rel, "ui/") && !drawn[pkg] && layer(pkg) != from {
				t.Errorf("%s imports %s, but the terminal draws what flows and its reports say", rel, pkg)
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

// TestGenerated: a generated file is named z*.go, nothing else is, and it says how it
// came to be in the words that tools know, without a date that would change it.
func TestGenerated(t *testing.T) {
	header := regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)
	date := regexp.MustCompile(`\b20\d\d-\d\d-\d\d\b`)
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(file) != ".go" {
			return err
		}
		b, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		line := header.Find(b)
		if named := strings.HasPrefix(d.Name(), "z"); named != (line != nil) {
			t.Errorf("%s: named as a generated file %v, has the header of one %v", file, named, line != nil)
		}
		if date.Match(line) {
			t.Errorf("%s: %s", file, line)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestStartUp: gopacket's layers would take 8 ms and 20 MB at the start of every run.
func TestStartUp(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Skipf("go list: %v", err)
	}
	for _, pkg := range strings.Fields(string(out)) {
		if pkg == "github.com/google/gopacket/layers" {
			t.Errorf("odxray imports %s; captures/linktype has its link types", pkg)
		}
	}
}
