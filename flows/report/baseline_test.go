package report

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/audit"
)

// churned is a capture with one finding of a copy, and one of none.
func churned(source string) *flows.Results {
	return &flows.Results{
		Done: true,
		Copies: []flows.Copy{
			{ID: 1, Source: flows.End{Path: "other"}, Destination: flows.End{Path: "copy"}},
			{ID: 2, Source: flows.End{Path: source}, Destination: flows.End{Path: "copy"}},
		},
		Findings: []flows.Finding{
			{Rule: "copy/token-churn", Message: "<churn>", Frames: []int{48, 50}, Copy: 2},
			{Rule: "smb/replayed", Level: flows.Warning, Message: "again", Frames: []int{52}},
		},
	}
}

func TestAddToBaseline(t *testing.T) {
	a, b := churned("a"), churned("b")
	var doc []byte
	add := func(r *flows.Results, finding int, want bool) {
		t.Helper()
		var out bytes.Buffer
		added, err := AddToBaseline(&out, doc, []string{"a.pcap"}, r, &r.Findings[finding])
		if err != nil || added != want || added != (out.Len() > 0) {
			t.Fatalf("added %v, %v: %s", added, err, out.Bytes())
		}
		if added {
			doc = out.Bytes()
		}
	}
	left := func(r *flows.Results, want int) {
		t.Helper()
		known, err := ReadBaseline(bytes.NewReader(doc))
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := Filter(r, audit.Rules(), known); len(got.Findings) != want {
			t.Errorf("%d findings are left, not %d, by %s", len(got.Findings), want, doc)
		}
	}
	add(a, 0, true)
	left(a, 1)
	left(b, 2) // it is another copy
	add(a, 0, false)
	add(b, 0, true)
	left(b, 1)
	left(a, 1)
	add(a, 1, true)
	add(a, 1, false)
	left(a, 0)
	left(b, 0)
	if got := string(doc); strings.Count(got, `"rule"`) != 3 || !strings.Contains(got, `"message":"<churn>"`) ||
		!strings.Contains(got, `"counts":{"error":0,"warning":1,"note":2}`) {
		t.Errorf("the baseline is %s", got)
	}
	if !strings.HasPrefix(string(doc), fmt.Sprintf("{%q:%q,\n", "schema", AuditSchema)) {
		t.Errorf("it begins %.40s", doc)
	}
}

// What is no baseline stays what it is.
func TestAddToWhatIsNone(t *testing.T) {
	r := churned("a")
	for _, old := range []string{"", "{", "tea", "[]", `{"schema":"odxray.copies/1"}`, `{"schema":"odxray.audit/1","findings":7}`} {
		var out bytes.Buffer
		if added, err := AddToBaseline(&out, []byte(old), nil, r, &r.Findings[0]); added || err == nil || out.Len() > 0 {
			t.Errorf("%q: %v, %v, %q", old, added, err, out.Bytes())
		}
	}
}
