package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/odxray/odxray/captures/samples"
)

// TestSchemas validates all that commands print of the samples as JSON.
func TestSchemas(t *testing.T) {
	for _, command := range []string{"summary", "list", "show -n 1- -x", "exchanges", "copies", "tokens", "rdma", "why", "stats --by file", "audit", "fields"} {
		words := strings.Fields(command)
		schema, err := jsonschema.NewCompiler().Compile(filepath.Join("..", "..", "docs", "schema", words[0]+".json"))
		if err != nil {
			t.Fatal(err)
		}
		files := append(samples.Names(), filepath.Join("..", "..", "flows", "testdata", "rocev2.pcap"))
		if words[0] == "fields" {
			files = []string{""}
		}
		for _, file := range files {
			args := append(words, "-T", "json")
			if file != "" {
				args = append(args, filepath.Join("..", "..", "captures", "samples", file))
			}
			var stdout, stderr bytes.Buffer
			if code := run(args, nil, &stdout, &stderr); code != exitOK || stderr.Len() > 0 {
				t.Errorf("%s %s: status %d, %s", command, file, code, &stderr)
			}
			if stdout.Len() == 0 { // it has none of what the command lists
				continue
			}
			docs := [][]byte{stdout.Bytes()}
			if words[0] != "summary" && words[0] != "audit" {
				docs = bytes.Split(bytes.TrimSpace(stdout.Bytes()), []byte("\n"))
			}
			for _, doc := range docs {
				v, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
				if err == nil {
					err = schema.Validate(v)
				}
				if err != nil {
					t.Fatalf("%s %s: %v\n%s", command, file, err, doc)
				}
			}
		}
	}
}
