package replay

// A request of a plan made into one for the target: slots filled, names mapped, the
// channel of RDMA taken out.

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/replay/client"
)

// needs is the error of a request that a slot lacks.
type needs struct{ slot int }

func (n needs) Error() string { return fmt.Sprintf("slot %d is empty", n.slot) }

const flagDFS smb2.Flags = 0x10000000

// request makes the request of a step. tree and session are those of the target. The
// error is a needs, or says in words why it cannot be made.
func (r *run) request(s *Step) (*client.Request, error) {
	b, err := r.whole(s)
	if err != nil {
		return nil, err
	}
	for _, u := range s.Uses {
		v := r.value(u.Slot)
		if k := r.plan.Slots[u.Slot].Kind; v == nil && (k == SlotSID || k == SlotHandle && r.replied(r.plan.Slots[u.Slot].Defined)) {
			continue // it names nobody, or the right one; it was no handle
		}
		if v == nil {
			return nil, needs{u.Slot}
		}
		if r.plan.Slots[u.Slot].Kind == SlotSnapshot {
			continue // which is in the name
		}
		if len(v) != u.Len || u.Off+u.Len > len(b) {
			return nil, fmt.Errorf("the target's %s has %d bytes where the capture has %d", &r.plan.Slots[u.Slot], len(v), u.Len)
		}
		copy(b[u.Off:], v)
	}
	if b, err = r.mapped(s, b); err != nil {
		return nil, err
	}
	q := &client.Request{
		Command: s.Header.Command, Body: b[headerSize:], Flags: s.Header.Flags &^ flagDFS, ChannelSequence: s.Header.Sequence, Credits: s.Header.Credits,
	}
	q.PlainAnswer = s.Sealed && s.Answered() && s.Bare
	related := s.Position > 0 && s.Header.Flags&smb2.FlagRelated != 0
	if related && s.Header.SessionID == ^uint64(0) {
		q.SessionID = ^uint64(0)
	}
	if s.Session >= 0 && r.plan.Slots[s.Session].Bogus {
		q.SessionID = s.Header.SessionID
	}
	switch {
	case related && s.Header.TreeID == ^uint32(0):
		q.TreeID = ^uint32(0)
	case s.Tree >= 0 && s.Header.Command != smb2.TreeConnect:
		v := r.value(s.Tree)
		if v == nil {
			return nil, needs{s.Tree}
		}
		q.TreeID = le.Uint32(v)
	}
	return q, nil
}

// replied reports whether the target answered a step.
func (r *run) replied(id int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return id > 0 && r.outcomes[id-1].Answer != nil
}

// whole returns a copy of a request, with what the capture lacks filled in.
func (r *run) whole(s *Step) ([]byte, error) {
	b := slices.Clone(s.Request)
	b = inline(b, s)
	lack := r.lacks(s)
	if lack == 0 {
		if s.Header.Command == smb2.Write && viaRDMA(s) {
			b = append(b, s.Data...)
		}
		return b, nil
	}
	if s.Header.Command != smb2.Write {
		return nil, fmt.Errorf("the capture lacks %d bytes of it", lack)
	}
	switch r.o.Missing {
	case MissingZero, MissingPattern:
	case MissingFail:
		return nil, fmt.Errorf("the capture lacks %d bytes of the data, and --missing is fail", lack)
	default:
		return nil, fmt.Errorf("the capture lacks %d bytes of the data: --missing zero or pattern makes some up", lack)
	}
	from := len(b)
	b = append(b, make([]byte, lack)...)
	off := s.Exchange.Offset + uint64(from-headerSize-int(writeFixed))
	if r.o.Missing == MissingPattern {
		pattern(b[from:], off)
	}
	r.taint(s.Exchange.File, flows.Range{Start: off, End: off + uint64(lack)})
	return b, nil
}

// pattern fills b with bytes that say where in a file they are.
func pattern(b []byte, off uint64) {
	for i := range b {
		at := off + uint64(i)
		b[i] = byte(at ^ at>>8 ^ at>>16)
	}
}

const writeFixed, readFixed = 48, 48 // bytes of body before the data. [MS-SMB2] 2.2.19, 2.2.21

// lacks returns how many bytes of a request's data the capture does not hold.
func (r *run) lacks(s *Step) int {
	b := inline(slices.Clone(s.Request), s)
	if s.Header.Command == smb2.Write && len(b) >= headerSize+writeFixed {
		if viaRDMA(s) && len(s.Data) == int(le.Uint32(b[headerSize+4:])) {
			return 0
		}
		return int(max(int64(le.Uint32(b[headerSize+4:]))-int64(len(b)-headerSize-writeFixed), 0))
	}
	return s.Size - len(s.Request)
}

// viaRDMA reports whether the data of a WRITE went by RDMA.
func viaRDMA(s *Step) bool {
	return len(s.Request) >= headerSize+writeFixed && le.Uint32(s.Request[headerSize+32:]) != 0
}

// inline has data that went by RDMA go in the message. [MS-SMB2] 2.2.19, 2.2.21
func inline(b []byte, s *Step) []byte {
	const body = headerSize
	switch {
	case s.Header.Command == smb2.Read && len(b) >= body+readFixed && le.Uint32(b[body+36:]) != 0:
		clear(b[body+36 : body+48]) // Channel, RemainingBytes and where the descriptors are
		return append(b[:body+readFixed], 0)
	case s.Header.Command == smb2.Write && len(b) >= body+writeFixed && le.Uint32(b[body+32:]) != 0:
		le.PutUint32(b[body+4:], le.Uint32(b[body+36:])) // Length takes RemainingBytes
		le.PutUint16(b[body+2:], body+writeFixed)
		clear(b[body+32 : body+44])
		return b[:body+writeFixed]
	}
	return b
}

// mapped puts the target's names in the place of the captured ones.
func (r *run) mapped(s *Step, b []byte) ([]byte, error) {
	switch s.Header.Command {
	case smb2.TreeConnect:
		old := treePath(b)
		if len(b) < headerSize+8 {
			return nil, fmt.Errorf("its path cannot be read")
		}
		if s.Answered() && statusOf(s.Answer) == 0xc00000cc { // BAD_NETWORK_NAME: no share of that name
			return setTree(b, `\\`+r.o.Target.Host+`\`+shareOf(old)), nil
		}
		return setTree(b, r.sharePath(old)), nil
	case smb2.Create:
		if _, ok := createName(b); !ok {
			return nil, fmt.Errorf("its name cannot be read")
		}
		if r.onPipe(s) {
			return b, nil
		}
		b = r.inSnapshot(s, b)
		name, _ := createName(b)
		if s.Header.Flags&flagDFS != 0 { // server\share\path
			parts := strings.SplitN(strings.TrimLeft(name, `\`), `\`, 3)
			name = ""
			if len(parts) == 3 {
				name = parts[2]
			}
		}
		if err := r.confined(b, name); err != nil {
			return nil, err
		}
		return setCreate(b, r.path(s, name)), nil
	case smb2.SetInfo:
		if name, _ := renameName(b); name != nil {
			if to := decode(name); !strings.HasPrefix(to, ":") { // else a stream of the file
				if climbs(to) && r.o.Target.Dir != "" {
					return nil, errClimbs
				}
				return setRename(b, r.path(s, strings.TrimPrefix(to, `\`))), nil
			}
		}
	case smb2.Write:
		if r.onPipe(s) {
			return bare(s, b)
		}
	case smb2.Ioctl:
		if r.onPipe(s) && s.Exchange.Function == fscc.PipeTransceive {
			return bare(s, b)
		}
		return r.mappedInput(s, b)
	case smb2.OplockBreak:
		return r.granted(s, b), nil
	}
	return b, nil
}

var errClimbs = errors.New("its path leads upwards, and could lead out of the prefix")

// climbs reports whether a path goes up.
func climbs(path string) bool {
	return slices.Contains(strings.FieldsFunc(path, func(c rune) bool { return c == '\\' || c == '/' }), "..")
}

// confined says why a CREATE cannot be kept within the prefix; nil if it is.
func (r *run) confined(b []byte, name string) error {
	options := smb2.CreateOptions(le.Uint32(b[headerSize+40:]))
	switch {
	case climbs(name) && r.o.Target.Dir != "":
		return errClimbs
	case options&smb2.OptionOpenByFileID != 0 && r.o.Target.Dir != "":
		return errors.New("it opens a file by an id of the captured server, wherever that may be")
	}
	return nil
}

// mappedInput rewrites the input of a control code that names a server or its connection.
func (r *run) mappedInput(s *Step, b []byte) ([]byte, error) {
	off, n := ioctlInput(b)
	in := part(b, off, n)
	if len(b) < headerSize+56 {
		return b, nil
	}
	switch s.Exchange.Function {
	case fscc.ValidateNegotiate:
		c := r.conn(s)
		if c == nil {
			return nil, fmt.Errorf("there is no connection")
		}
		return setInput(b, c.ValidateInput()), nil
	case fscc.DFSGetReferrals:
		if len(in) < 4 {
			return b, nil
		}
		return setInput(b, append(slices.Clone(in[:2]), append(encode(r.referral(decode(in[2:len(in)-2]))), 0, 0)...)), nil
	}
	return b, nil
}

// referral maps \server\share[\path]. What is below a share is where it has its place.
func (r *run) referral(path string) string {
	parts := strings.SplitN(strings.TrimLeft(path, `\`), `\`, 3)
	lead := path[:len(path)-len(strings.TrimLeft(path, `\`))]
	if len(parts) > 0 && parts[0] != "" && strings.ContainsAny(path, `\`) {
		parts[0] = r.o.Target.Host
	}
	if len(parts) > 1 && !isIPC(parts[1]) {
		if dir, ok := r.dirs[strings.ToLower(parts[1])]; ok && len(parts) > 2 {
			parts[2] = joined(dir, parts[2])
		}
		parts[1] = r.o.Target.Share
	}
	return lead + strings.Join(parts, `\`)
}

// sharePath maps \\server\share.
func (r *run) sharePath(old string) string {
	if isIPC(old) {
		return `\\` + r.o.Target.Host + `\IPC$`
	}
	return `\\` + r.o.Target.Host + `\` + r.o.Target.Share
}

// path maps a path within a share.
func (r *run) path(s *Step, name string) string {
	if rest, ok := strings.CutPrefix(name, `\`); ok && r.prefix(s.Tree) != "" { // which servers refuse
		return `\` + joined(r.prefix(s.Tree), rest)
	}
	return joined(r.prefix(s.Tree), name)
}

// joined joins the parts of a path; either may be empty.
func joined(dir, name string) string {
	switch {
	case dir == "":
		return name
	case name == "":
		return dir
	}
	return dir + `\` + name
}

// onPipe reports whether a step is on the share of named pipes.
func (r *run) onPipe(s *Step) bool {
	if s.Tree < 0 {
		return false
	}
	t := &r.plan.Slots[s.Tree]
	return t.Pipe || isIPC(t.Path)
}

// prefix is the directory that a captured share becomes: the target's, and one of its own
// below that for each share if the capture has several.
func (p *Plan) prefixes(dir string) map[string]string {
	dirs := make(map[string]string)
	var names []string
	for i := range p.Slots {
		if t := &p.Slots[i]; t.Kind == SlotTree && !t.Pipe && !isIPC(t.Path) {
			if name := strings.ToLower(shareOf(t.Path)); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	for _, name := range names {
		dirs[name] = dir
		if len(names) > 1 && name != "" {
			dirs[name] = joined(dir, name)
		}
	}
	return dirs
}

func (r *run) prefix(tree int) string {
	if tree < 0 {
		return r.o.Target.Dir
	}
	if dir, ok := r.dirs[strings.ToLower(shareOf(r.plan.Slots[tree].Path))]; ok {
		return dir
	}
	return r.o.Target.Dir
}
