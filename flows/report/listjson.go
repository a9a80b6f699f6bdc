package report

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/flows"
)

// object appends a frame as docs/schema/list.json describes it.
func (l *lister) object(r *flows.Row) {
	l.b = append(l.b, `{"frame":`...)
	l.b = strconv.AppendInt(l.b, int64(r.Frame), 10)
	l.b = append(l.b, `,"time":"`...)
	l.b = appendStamp(l.b, r.Time)
	l.b = append(l.b, `","protocol":`...)
	l.b = appendJSONString(l.b, r.Protocol)
	l.b = append(l.b, `,"info":`...)
	l.b = appendJSONString(l.b, r.Info)
	l.b = append(l.b, `,"fields":`...)
	var asked *columns
	if l.Columns != nil {
		asked = &l.columns
	}
	l.b = l.json.append(l.b, l.tree, asked)
	l.b = append(l.b, '}')
}

// members are the fields that fields of a frame can have: those with a name, but not
// the layers, whose titles repeat what is in them.
func members() []*wire.Field {
	return slices.DeleteFunc(flows.Fields(), func(f *wire.Field) bool { return f.Name == "" || isLayer(f) })
}

func isLayer(f *wire.Field) bool {
	return f.Kind == wire.KindStruct && !strings.Contains(f.Name, ".")
}

// fieldObject makes JSON objects of trees: a member a name, in the order of the
// tree, with an array where a name comes more than once.
type fieldObject struct {
	names   map[string]*fieldName
	byField []*fieldName // by Field.ID
	tree    int          // of those made so far
	members []fieldMember
	text    []byte
}

// fieldName is a name that members may have.
type fieldName struct {
	quoted string // with the colon
	tree   int    // the last tree that had it
	at     int    // its member there
}

type fieldMember struct {
	name   *fieldName
	values []byte
	many   bool
}

// name returns what is known of the name of f.
func (o *fieldObject) name(f *wire.Field) *fieldName {
	if more := f.ID() + 1 - len(o.byField); more > 0 {
		o.byField = append(o.byField, make([]*fieldName, more)...)
	}
	n := o.byField[f.ID()]
	if n == nil {
		if n = o.names[f.Name]; n == nil {
			if o.names == nil {
				o.names = map[string]*fieldName{}
			}
			n = &fieldName{quoted: string(appendJSONString(nil, f.Name)) + ":"}
			o.names[f.Name] = n
		}
		o.byField[f.ID()] = n
	}
	return n
}

// append appends the fields of t. Unless asked is nil it takes those in it only: a
// filter may look at others.
func (o *fieldObject) append(dst []byte, t *wire.Tree, asked *columns) []byte {
	o.tree++
	members := o.members[:0]
	for i := range t.Nodes {
		f := t.Nodes[i].Field
		if asked != nil && len(asked.of(f)) == 0 || f.Name == "" || f.Kind == wire.KindStruct && (t.Nodes[i].Text == "" || isLayer(f)) {
			continue
		}
		n := o.name(f)
		again := n.tree == o.tree
		if !again {
			n.tree, n.at = o.tree, len(members)
			if n.at < cap(members) { // its buffer has been used before
				members = members[:n.at+1]
				members[n.at] = fieldMember{name: n, values: members[n.at].values[:0]}
			} else {
				members = append(members, fieldMember{name: n})
			}
		}
		m := &members[n.at]
		if again {
			m.values, m.many = append(m.values, ','), true
		}
		m.values = o.value(m.values, t, i)
	}
	o.members = members
	dst = append(dst, '{')
	for i := range members {
		m := &members[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, m.name.quoted...)
		if m.many {
			dst = append(dst, '[')
		}
		dst = append(dst, m.values...)
		if m.many {
			dst = append(dst, ']')
		}
	}
	return append(dst, '}')
}

// value appends node i with its type: numbers as numbers, also those that print in
// hex, times as RFC 3339, a time that is not set as null.
func (o *fieldObject) value(dst []byte, t *wire.Tree, i int) []byte {
	n := &t.Nodes[i]
	if n.Text != "" {
		return appendJSONString(dst, n.Text)
	}
	switch n.Field.Kind {
	case wire.KindEnum:
		if int64(n.Val) < 0 { // an ASN.1 integer
			return strconv.AppendInt(dst, int64(n.Val), 10)
		}
		return strconv.AppendUint(dst, n.Val, 10)
	case wire.KindUint, wire.KindFrame:
		return strconv.AppendUint(dst, n.Val, 10)
	case wire.KindInt:
		return t.AppendValue(dst, i)
	case wire.KindBool:
		return strconv.AppendBool(dst, n.Val != 0)
	case wire.KindDuration:
		return appendSeconds(dst, int64(n.Val))
	case wire.KindTimestamp:
		return append(appendStamp(append(dst, '"'), int64(n.Val)), '"')
	case wire.KindTime:
		if n.Val == 0 {
			return append(dst, "null"...)
		}
		const unix = 11644473600 // seconds from 1601 to 1970
		at := time.Unix(int64(n.Val/1e7)-unix, int64(n.Val%1e7)*100).UTC()
		return at.AppendFormat(dst, `"2006-01-02T15:04:05.0000000Z"`)
	case wire.KindBytes, wire.KindGUID, wire.KindAddress: // digits and what separates them
		return append(t.AppendValue(append(dst, '"'), i), '"')
	}
	o.text = t.AppendValue(o.text[:0], i)
	return appendJSONString(dst, o.text)
}

// appendJSONString appends s quoted.
func appendJSONString[S string | []byte](dst []byte, s S) []byte {
	if !clean(s) {
		quoted, _ := json.Marshal(string(s)) // a string always works
		return escapeJSON(dst, quoted)
	}
	dst = append(dst, '"')
	from := 0
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			dst = append(append(dst, s[from:i]...), '\\')
			from = i
		}
	}
	return append(append(dst, s[from:]...), '"')
}
