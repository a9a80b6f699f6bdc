package replay

// Listings of directories: what counts is the set of names with their attributes, however
// many answers they come in.

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/flows/report"
	"github.com/odxray/odxray/replay/client"
)

const noMoreFiles smb2.Status = 0x80000006

// maxListing bounds the entries of a listing that are kept.
const maxListing = 1 << 20

// listing is a directory as the two servers list it, by the handle that it is listed on.
type listing struct {
	was, is map[string][]attribute // by name
	ended   bool                   // the target has said that there are no more
}

// attribute is what an entry says of a name.
type attribute struct{ field, text string }

// listed takes the answer to a QUERY_DIRECTORY, and compares once the captured listing is
// over.
func (r *run) listed(ctx context.Context, s *Step, k *client.Session, o *Outcome) {
	slot := -1
	for _, u := range s.Uses {
		slot = u.Slot
	}
	was, is := statusOf(s.Answer), statusOf(o.Answer)
	ok := func(st smb2.Status) bool { return st == 0 || st == noMoreFiles }
	if slot < 0 || !ok(was) || !ok(is) {
		if was != is {
			o.add("smb2.nt_status", report.StatusName(was), report.StatusName(is))
			return
		}
		if was == 0 {
			r.fields(s, o)
		}
		return
	}
	r.mu.Lock()
	l := r.listings[slot]
	const restart = 0x01 // SMB2_RESTART_SCANS; 0x10 reopens
	if l == nil || len(s.Request) > headerSize+3 && s.Request[headerSize+3]&(restart|0x10) != 0 {
		l = &listing{was: make(map[string][]attribute), is: make(map[string][]attribute)}
		r.listings[slot] = l
	}
	r.mu.Unlock()
	var d decoder
	if was == 0 {
		d.decode(s.Answer, s.AnsSize, &s.Context, nil)
		entries(&d.tree, l.was, s, &r.o)
	}
	if is == 0 {
		d.decode(o.Answer, len(o.Answer), &s.Context, nil)
		entries(&d.tree, l.is, s, &r.o)
	} else {
		l.ended = true
	}
	if was != noMoreFiles {
		if len(l.is) == 0 && is == noMoreFiles && len(l.was) > 0 {
			o.add("smb2.nt_status", report.StatusName(was), report.StatusName(is))
		}
		return // the rest may come in other pieces
	}
	for i := 0; !l.ended && k != nil && i < 1000; i++ { // go on as a client would
		q, err := r.request(s)
		if err != nil {
			break
		}
		a, err := k.Do(ctx, q)
		if err != nil || a.Status != 0 {
			l.ended = true
			break
		}
		d.decode(a.Message, len(a.Message), &s.Context, nil)
		entries(&d.tree, l.is, s, &r.o)
	}
	l.compare(o)
}

// compare notes the names that only one has, and those whose attributes differ.
func (l *listing) compare(o *Outcome) {
	var only, other []string
	for name := range l.was {
		if _, ok := l.is[name]; !ok {
			only = append(only, name)
		}
	}
	for name := range l.is {
		if _, ok := l.was[name]; !ok {
			other = append(other, name)
		}
	}
	slices.Sort(only)
	slices.Sort(other)
	if len(only)+len(other) > 0 {
		o.add("names in the directory", fmt.Sprintf("%d, %s", len(l.was), some(only)), fmt.Sprintf("%d, %s", len(l.is), some(other)))
	}
	var both []string
	for name, is := range l.is {
		if was, ok := l.was[name]; ok && !slices.Equal(was, is) {
			both = append(both, name)
		}
	}
	slices.Sort(both)
	for i, name := range both {
		if i == 10 {
			o.add("attributes in the directory", fmt.Sprintf("%d differ", len(both)), "")
			break
		}
		apart(name, l.was[name], l.is[name], o)
	}
}

// apart notes which attributes of a name are not the same.
func apart(name string, was, is []attribute, o *Outcome) {
	rest := slices.Clone(is)
	for _, a := range was {
		now := "absent"
		if i := slices.IndexFunc(rest, func(b attribute) bool { return b.field == a.field }); i >= 0 {
			now = rest[i].text
			rest = slices.Delete(rest, i, i+1)
		}
		o.add(a.field, name+": "+a.text, name+": "+now)
	}
	for _, a := range rest {
		o.add(a.field, name+": absent", name+": "+a.text)
	}
}

// some lists names, the first few of many.
func some(names []string) string {
	switch {
	case len(names) == 0:
		return "no other"
	case len(names) > 5:
		return "others are " + strings.Join(names[:5], ", ") + fmt.Sprintf(" and %d more", len(names)-5)
	}
	return "others are " + strings.Join(names, ", ")
}

// entries adds what a listing says of each name to list.
func entries(t *wire.Tree, list map[string][]attribute, s *Step, o *Options) {
	for i := range t.Nodes {
		n := &t.Nodes[i]
		if n.Field.Kind != wire.KindStruct || n.End == 0 {
			continue
		}
		name, what := "", []attribute(nil)
		nested := false
		for j := i + 1; j < int(n.End); j++ {
			f := &t.Nodes[j]
			nested = nested || f.Field.Kind == wire.KindStruct
			switch {
			case f.Generated || f.Field.Kind == wire.KindStruct || f.Field.Mask != 0:
			case f.Field.Name == "smb2.filename":
				name = t.Value(j)
			case f.Field.Label != "Padding" && o.compares(f.Field.Name, s):
				what = append(what, attribute{f.Field.Name, t.Value(j)})
			}
		}
		if nested || name == "" || len(list) >= maxListing {
			continue
		}
		if name == "." || name == ".." { // whose attributes are the server's affair
			what = nil
		}
		list[name] = what
	}
}
