package report

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/flows"
)

// object appends a frame as docs/schema/list.json describes it.
func (l *lister) object(r *flows.Row) {
	l.b = append(l.b, `{"frame":`...)
	l.b = strconv.AppendInt(l.b, int64(r.Frame), 10)
	l.b = append(l.b, `,"time":"`...)
	l.b = append(l.b, stamp(r.Time)...)
	l.b = append(l.b, `","protocol":`...)
	l.b = appendJSONString(l.b, r.Protocol)
	l.b = append(l.b, `,"info":`...)
	l.b = appendJSONString(l.b, r.Info)
	l.b = append(l.b, `,"fields":`...)
	l.b = l.json.append(l.b, l.tree)
	l.b = append(l.b, '}')
}

// fieldObject makes JSON objects of trees: a member a name, in the order of the
// tree, with an array where a name comes more than once.
type fieldObject struct {
	at      map[string]int
	members []fieldMember
}

type fieldMember struct {
	name   string
	values []byte
	many   bool
}

func (o *fieldObject) append(dst []byte, t *wire.Tree) []byte {
	if o.at == nil {
		o.at = map[string]int{}
	}
	clear(o.at)
	members := o.members[:0]
	for i := range t.Nodes {
		f := t.Nodes[i].Field
		if f.Name == "" || f.Kind == wire.KindStruct && t.Nodes[i].Text == "" {
			continue
		}
		at, again := o.at[f.Name]
		if !again {
			at = len(members)
			o.at[f.Name] = at
			if at < cap(members) { // its buffer has been used before
				members = members[:at+1]
				members[at] = fieldMember{name: f.Name, values: members[at].values[:0]}
			} else {
				members = append(members, fieldMember{name: f.Name})
			}
		}
		m := &members[at]
		if again {
			m.values, m.many = append(m.values, ','), true
		}
		m.values = appendJSONValue(m.values, t, i)
	}
	o.members = members
	dst = append(dst, '{')
	for i := range members {
		m := &members[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, '"'), m.name...), `":`...)
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

// appendJSONValue appends node i with its type: numbers as numbers, also those that
// print in hex, times as RFC 3339, a time that is not set as null.
func appendJSONValue(dst []byte, t *wire.Tree, i int) []byte {
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
		return append(append(append(dst, '"'), stamp(int64(n.Val))...), '"')
	case wire.KindTime:
		if n.Val == 0 {
			return append(dst, "null"...)
		}
		const unix = 11644473600 // seconds from 1601 to 1970
		at := time.Unix(int64(n.Val/1e7)-unix, int64(n.Val%1e7)*100).UTC()
		return at.AppendFormat(dst, `"2006-01-02T15:04:05.0000000Z"`)
	}
	return appendJSONString(dst, t.Value(i))
}

// appendJSONString appends s quoted.
func appendJSONString(dst []byte, s string) []byte {
	if clean(s) && !hasJSONSpecial(s) {
		return append(append(append(dst, '"'), s...), '"')
	}
	quoted, _ := json.Marshal(s) // a string always works
	return escapeJSON(dst, quoted)
}

func hasJSONSpecial(s string) bool {
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			return true
		}
	}
	return false
}
