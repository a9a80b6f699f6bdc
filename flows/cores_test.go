package flows

import (
	"context"
	"reflect"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCores: what is found does not depend on how many cores look for it.
func TestCores(t *testing.T) {
	results := func(cores int) *Results {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
		c, err := Open([]string{"../captures/samples/copy-sparse2.snoop"}, Options{Index: true})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		return c.Results()
	}
	if d := cmp.Diff(results(1), results(8), cmp.Exporter(func(reflect.Type) bool { return true })); d != "" {
		t.Error(d)
	}
}
