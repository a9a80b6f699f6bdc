package replay

// Two answers to one request: the fields that the decoders see in them, by policy.

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/flows/report"
	"github.com/odxray/odxray/replay/client"
)

// compare notes what is different about the answer to a step.
func (r *run) compare(ctx context.Context, s *Step, k *client.Session, o *Outcome) {
	was, is := statusOf(s.Answer), statusOf(o.Answer)
	switch r.o.Level {
	case Liveness:
		if resources[is] && is != was {
			o.add("smb2.nt_status", report.StatusName(was), report.StatusName(is))
		}
		return
	case Class:
		if statusClass(was) != statusClass(is) {
			o.add("smb2.nt_status", report.StatusName(was), report.StatusName(is))
		}
		return
	}
	if s.Header.Command == smb2.QueryDirectory {
		r.listed(ctx, s, k, o)
		return
	}
	if s.Header.Command == smb2.ChangeNotify && r.o.Level == Semantic && tells[was] && tells[is] && (was != is || was == ntstatus.Success) {
		r.noticed(s, o)
		return
	}
	if was != is {
		if ownFault[is] {
			o.Reason = "the target says that the session, tree or file is gone"
		}
		o.add("smb2.nt_status", report.StatusName(was), report.StatusName(is))
		return // the rest follows from it
	}
	r.fields(s, o)
}

// fields compares the fields of two answers of one status.
func (r *run) fields(s *Step, o *Outcome) {
	var a, b decoder
	was := a.decode(s.Answer, s.AnsSize, &s.Context, nil)
	is := b.decode(r.normal(s, o.Answer), len(o.Answer), &s.Context, nil)
	if old, ok := was.Body.(*smb2.ReadResponse); ok {
		if now, ok := is.Body.(*smb2.ReadResponse); ok {
			r.data(s, o, old, now)
			return
		}
	}
	const file, streamInformation = 1, 22
	if x := &s.Exchange; x.Command == smb2.QueryInfo && x.InfoType == file && x.InfoClass == streamInformation && r.o.Level == Semantic {
		o.add("streams", streams(&a.tree), streams(&b.tree))
		return
	}
	plain := func(path string) string { return r.unprefixed(s, path) }
	differences(&a.tree, &b.tree, s, &r.o, plain, r.environment, o)
}

// streams lists the streams of a file with their sizes: they come in any order.
func streams(t *wire.Tree) string {
	var list []string
	size := ""
	for _, l := range leaves(t) {
		switch l.name {
		case "smb.stream_size":
			size = l.text
		case "smb.stream_name":
			list = append(list, l.text+" of "+size)
		}
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

// leaf is a field of an answer.
type leaf struct {
	name, text string
	value      uint64
}

// leaves lists the fields of a message that hold a value, without those of their bits.
func leaves(t *wire.Tree) (list []leaf) {
	for i := 0; i < len(t.Nodes); i++ {
		n := &t.Nodes[i]
		if n.Generated || n.Field.Kind == wire.KindStruct {
			continue
		}
		name := n.Field.Name
		if name == "" {
			name = n.Field.Label
		}
		if name == "smb2.tag" { // of a create context, which come in any order
			list = append(list, leaf{name: "create context " + t.Value(i), text: "present"})
			continue
		}
		text := t.Value(i)
		if n.Field.Kind == wire.KindEnum && n.Field.Format != nil {
			text = n.Field.Format(n.Val) + " (" + text + ")"
		}
		list = append(list, leaf{name, text, n.Val})
		if len(n.Field.Bits) > 0 && n.End > int32(i) {
			i = int(n.End) - 1
		}
	}
	return list
}

// differences compares the fields of two trees name by name, each name's values in order.
func differences(was, is *wire.Tree, s *Step, how *Options, plain func(string) string, environment func(field, captured, replayed string), o *Outcome) {
	now, sets := make(map[string][]leaf), make(map[string]bool)
	for _, l := range leaves(is) {
		now[l.name] = append(now[l.name], l)
	}
	for _, old := range leaves(was) {
		p, rule := how.policy(old.name, s)
		if p == ignore || p == own {
			delete(now, old.name)
			continue
		}
		if p == inSet {
			if !sets[old.name] {
				o.add(old.name, values(leaves(was), old.name), values(now[old.name], old.name))
			}
			sets[old.name] = true
			delete(now, old.name)
			continue
		}
		list := now[old.name]
		if len(list) == 0 {
			if p == surroundings {
				environment(old.name, old.text, "absent")
				continue
			}
			o.add(old.name, old.text, "absent")
			continue
		}
		l := list[0]
		now[old.name] = list[1:]
		switch p {
		case within:
			if !rule.near(old.value, l.value) {
				o.add(old.name, old.text, l.text)
			}
		case roughly:
			if !near(old.value, l.value) {
				environment(old.name, old.text, l.text)
			}
		case lastWord:
			o.add("status of the remote call", ending(old.text), ending(l.text))
		case surroundings:
			environment(old.name, old.text, l.text)
		case below:
			o.add(old.name, old.text, plain(l.text))
		default:
			o.add(old.name, old.text, l.text)
		}
	}
	for _, l := range leaves(is) { // in their order
		if p, _ := how.policy(l.name, s); p == ignore || p == own || p == surroundings {
			continue
		}
		if rest := now[l.name]; len(rest) > 0 {
			o.add(l.name, "absent", rest[0].text)
			now[l.name] = nil
		}
	}
}

// values lists the values of a field in a fixed order.
func values(list []leaf, name string) string {
	var all []string
	for _, l := range list {
		if l.name == name {
			all = append(all, l.text)
		}
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// ending returns the last four bytes of what is written in hex.
func ending(hex string) string { return hex[max(len(hex)-8, 0):] }

// near reports whether two sizes differ by no more than what file systems round to: a
// megabyte, which is Samba's default, or an eighth.
func near(a, b uint64) bool {
	const round = 1 << 20
	d := max(a, b) - min(a, b)
	return d <= round || d <= max(a, b)/8
}

// unprefixed takes the target's directory off a path that its answers name.
func (r *run) unprefixed(s *Step, path string) string {
	dir := r.prefix(s.Tree)
	if dir == "" {
		return path
	}
	bare, lead := strings.CutPrefix(path, `\`)
	rest, ok := strings.CutPrefix(strings.ToLower(bare), strings.ToLower(dir))
	if !ok {
		return path
	}
	rest = strings.TrimPrefix(bare[len(bare)-len(rest):], `\`)
	if lead {
		return `\` + rest
	}
	return rest
}

// data compares what was read: by its hash, without what was made up.
func (r *run) data(s *Step, o *Outcome, was, is *smb2.ReadResponse) {
	oldLen, newLen := was.DataLength, is.DataLength
	if was.DataRemaining > 0 { // by RDMA
		oldLen = was.DataRemaining
	}
	if oldLen != newLen {
		o.add("smb2.read_length", strconv.FormatUint(uint64(oldLen), 10), strconv.FormatUint(uint64(newLen), 10))
		return
	}
	wasData := was.Data
	if was.DataRemaining > 0 && len(s.Data) == int(oldLen) {
		wasData = s.Data
	}
	if len(wasData) == 0 || uint32(len(wasData)) < oldLen && was.DataRemaining > 0 {
		return // the capture does not show it
	}
	n := min(len(wasData), len(is.Data))
	old, now := wasData[:n], is.Data[:n]
	off := s.Exchange.Offset
	for _, t := range r.taintOf(s.Exchange.File) {
		if t.Start < off+uint64(n) && off < t.End {
			old, now = mask(old, off, t), mask(now, off, t)
		}
	}
	if a, b := sha256.Sum256(old), sha256.Sum256(now); a != b {
		at := 0
		for at < n && old[at] == now[at] {
			at++
		}
		o.add("smb2.read_data", fmt.Sprintf("SHA-256 %x…, %02x at %d", a[:4], old[at], off+uint64(at)), fmt.Sprintf("SHA-256 %x…, %02x at %d", b[:4], now[at], off+uint64(at)))
	}
}
