package report

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSchemasAgree: the audit's schema has copies and mints as those of copies and
// tokens do. Each is complete by itself, for validators that fetch nothing.
func TestSchemasAgree(t *testing.T) {
	read := func(name string) (schema map[string]any) {
		b, err := os.ReadFile(filepath.Join("..", "..", "docs", "schema", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, &schema); err != nil {
			t.Fatal(err)
		}
		return schema
	}
	defs := read("audit.json")["$defs"].(map[string]any)
	for def, file := range map[string]string{"copy": "copies.json", "mint": "tokens.json"} {
		alone := read(file)
		for _, key := range []string{"$schema", "$id", "title"} {
			delete(alone, key)
		}
		if d := cmp.Diff(any(alone), defs[def]); d != "" {
			t.Errorf("%s differs from %s of audit.json:\n%s", file, def, d)
		}
	}
}
