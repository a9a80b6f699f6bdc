package smb2

import (
	"slices"
	"testing"
)

// FuzzContexts walks create contexts and puts them together again: what comes out holds
// what went in.
func FuzzContexts(f *testing.F) {
	f.Add([]byte(ContextList(nil).Append("DHnQ", make([]byte, 16)).Append("MxAc", nil)))
	f.Add([]byte(ContextList(nil).Append(ContextAppInstanceID.Name(), make([]byte, 20))))
	f.Fuzz(func(t *testing.T, b []byte) {
		var list ContextList
		type context struct{ name, data string }
		var want, got []context
		for name, data := range ContextList(b).Each {
			if len(name) > 1<<10 || len(data) > 1<<15 {
				return
			}
			want = append(want, context{name, string(data)})
			list = list.Append(name, data)
		}
		for name, data := range list.Each {
			got = append(got, context{name, string(data)})
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		list.Append("last", b)
	})
}
