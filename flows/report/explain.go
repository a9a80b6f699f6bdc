package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/odxray/odxray/dissect/filter"
	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/flows/audit"
)

// Explain says what name is: a rule of the audit, a field, or a status or a control
// code by its name or number. It returns false if it is none of these.
func Explain(w io.Writer, name string, fields []*wire.Field, s Style) (bool, error) {
	var b strings.Builder
	explainRule(&b, name, s)
	explainStatus(&b, name, s)
	explainCode(&b, name, s)
	explainField(&b, name, fields, s)
	_, err := io.WriteString(w, b.String())
	return b.Len() > 0, err
}

func explainRule(b *strings.Builder, name string, s Style) {
	r, ok := audit.Find(name)
	if !ok {
		return
	}
	fmt.Fprintf(b, "%s, a rule of level %s\n  %s\n  %s\n", s.paint(bold, r.ID), s.paint(levelColor(r.Level), r.Level.String()), r.Meaning, r.Advice)
	if r.Spec != "" {
		fmt.Fprintf(b, "  %s\n", r.Spec)
	}
}

func explainStatus(b *strings.Builder, name string, s Style) {
	status, ok := ntstatus.Lookup(strings.ToUpper(name))
	if n, err := strconv.ParseUint(name, 0, 32); err == nil {
		status, ok = ntstatus.Status(n), ntstatus.Status(n).String() != unnamed
	}
	if !ok {
		return
	}
	severity := [...]string{"success", "information", "warning", "error"}[status>>30]
	fmt.Fprintf(b, "%s (0x%08x), a status of severity %s\n", s.paint(bold, status.String()), uint32(status), severity)
	if text := status.Text(); text != "" {
		fmt.Fprintf(b, "  %s\n", text)
	}
	fmt.Fprintf(b, "  [MS-ERREF] 2.3.1\n")
}

func explainCode(b *strings.Builder, name string, s Style) {
	n, err := strconv.ParseUint(name, 0, 32)
	for _, c := range fscc.Codes() {
		if strings.EqualFold(name, c.String()) || err == nil && c == fscc.Code(n) {
			fmt.Fprintf(b, "%s (0x%08x), a control code: device %s, function %d, %s, %s\n", s.paint(bold, c.String()), uint32(c),
				fscc.Device(c&fscc.DeviceMask>>16), c&fscc.FunctionMask>>2, fscc.Access(c&fscc.AccessMask>>14), fscc.Method(c&fscc.MethodMask))
		}
	}
}

func explainField(b *strings.Builder, name string, fields []*wire.Field, s Style) {
	for _, f := range Named(fields) {
		if f.Name != name {
			continue
		}
		fmt.Fprintf(b, "%s, a field of type %s: %s\n", s.paint(bold, f.Name), KindName(f.Kind), f.Label)
		if f.Spec != "" {
			fmt.Fprintf(b, "  %s\n", f.Spec)
		}
		for _, part := range f.Bits {
			fmt.Fprintf(b, "  0x%x  %s %s\n", part.Mask, part.Label, part.Name)
		}
		for _, one := range f.Any {
			fmt.Fprintf(b, "  stands for %s\n", one.Name)
		}
	}
	explainFilter(b, name, fields)
}

// maxValues is how many names of values are worth listing.
const maxValues = 64

// explainFilter says what a filter can do with the fields of a name.
func explainFilter(b *strings.Builder, name string, fields []*wire.Field) {
	usage, values := filter.Usage(name, fields)
	if usage == "" {
		return
	}
	fmt.Fprintf(b, "  in filters: %s\n", usage)
	if len(values) > maxValues {
		fmt.Fprintf(b, "  %d values have names, from %s to %s\n", len(values), values[0].Name, values[len(values)-1].Name)
		return
	}
	for i := 0; i < len(values); i++ {
		fmt.Fprintf(b, "  %6d  %s", values[i].Number, values[i].Name)
		for ; i+1 < len(values) && values[i+1].Number == values[i].Number; i++ {
			fmt.Fprintf(b, ", %s", values[i+1].Name)
		}
		fmt.Fprintln(b)
	}
}

// StatusNames lists the names of all status codes.
func StatusNames() []string {
	var names []string
	for s := range ntstatus.All() {
		names = append(names, s.String())
	}
	return names
}

// CodeNames lists the names of all control codes.
func CodeNames() []string {
	var names []string
	for _, c := range fscc.Codes() {
		names = append(names, c.String())
	}
	return names
}
