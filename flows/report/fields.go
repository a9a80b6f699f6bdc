package report

import (
	"cmp"
	"io"
	"slices"

	"github.com/odxray/odxray/dissect/wire"
)

// kindNames are what the types of fields are called on the reference page.
var kindNames = map[wire.Kind]string{
	wire.KindUint: "uint", wire.KindInt: "int", wire.KindBool: "bool", wire.KindEnum: "enum", wire.KindBytes: "bytes",
	wire.KindString: "string", wire.KindASCII: "string", wire.KindText: "string", wire.KindOID: "oid", wire.KindGUID: "guid", wire.KindTime: "time", wire.KindTimestamp: "time",
	wire.KindDuration: "duration", wire.KindFrame: "frame", wire.KindAddress: "address", wire.KindStruct: "struct",
}

// KindName returns what a type of fields is called.
func KindName(k wire.Kind) string { return cmp.Or(kindNames[k], "other") }

type fieldJSON struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Label string `json:"label"`
	Spec  any    `json:"spec"`
}

// Named returns the fields that have a name, in the order of names, without those
// that say the same as the one before.
func Named(all []*wire.Field) []*wire.Field {
	named := slices.DeleteFunc(slices.Clone(all), func(f *wire.Field) bool { return f.Name == "" })
	slices.SortStableFunc(named, func(a, b *wire.Field) int { return cmp.Compare(a.Name, b.Name) })
	return slices.CompactFunc(named, func(a, b *wire.Field) bool {
		return a.Name == b.Name && KindName(a.Kind) == KindName(b.Kind) && a.Label == b.Label && a.Spec == b.Spec
	})
}

// FieldTable prints the reference page: every field with a name.
func FieldTable(w io.Writer, all []*wire.Field, f Format, s Style) error {
	fields := Named(all)
	switch f {
	case Text:
		t := table{columns: []column{{"Name", false}, {"Type", false}, {"Label", false}, {"Specification", false}}}
		for _, f := range fields {
			t.add(plain(f.Name), plain(KindName(f.Kind)), plain(f.Label), plain(f.Spec))
		}
		return t.write(w, s)
	case JSON:
		j := newJSONWriter(w)
		for _, f := range fields {
			if err := j.line(fieldJSON{f.Name, KindName(f.Kind), f.Label, known(f.Spec)}); err != nil {
				return err
			}
		}
		return nil
	case CSV:
		return writeCSV(w, []string{"name", "type", "label", "spec"}, func(yield func([]string) bool) {
			for _, f := range fields {
				if !yield([]string{f.Name, KindName(f.Kind), f.Label, f.Spec}) {
					return
				}
			}
		})
	}
	return errFormat(f)
}
