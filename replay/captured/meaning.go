package captured

// What a request means, whoever sends it and when: its command, its file by name, and
// what it asks for. Ids, tokens, keys, times and data are left out.

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/odx"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

// key is the same for requests that mean the same.
type key [16]byte

// meaning is what a request means.
type meaning struct {
	key     key
	command smb2.Command
	kind    uint32 // control code, or the class of information
	offset  uint64 // bytes; 0 where there is no range
	length  uint64
	about   string // share and path
	detail  string // in words, beside about
	data    uint64 // a hash of what a WRITE writes, or of the end of a remote procedure call; 0 for others
}

// subject names a file: a share, without its server, and a path within it. Both are in
// lower case.
func subject(share, path string) string {
	if path == "" {
		return share
	}
	return share + `\` + path
}

// shareName is the last part of \\server\share.
func shareName(unc string) string {
	return strings.ToLower(unc[strings.LastIndexByte(unc, '\\')+1:])
}

// createPath is the path that a CREATE names, without server and share where it has them.
func createPath(m *smb2.Message, b *smb2.CreateRequest) string {
	const flagDFS smb2.Flags = 0x10000000
	path := strings.Trim(b.Name.String(), `\`)
	if m.Flags&flagDFS != 0 {
		if parts := strings.SplitN(path, `\`, 3); len(parts) == 3 {
			path = parts[2]
		} else {
			path = ""
		}
	}
	return strings.ToLower(path)
}

// words collects what a request means.
type words struct{ b []byte }

func (w *words) n(list ...uint64) {
	for _, v := range list {
		w.b = wire.AppendU64(w.b, v)
	}
}

func (w *words) bytes(b []byte) {
	w.n(uint64(len(b)))
	w.b = append(w.b, b...)
}

func (w *words) s(s string) { w.bytes([]byte(strings.ToLower(s))) }

// meaningOf says what a request on about means. other names the files of other ids.
func meaningOf(m *smb2.Message, about string, other func(smb2.FileID) string) meaning {
	k := meaning{command: m.Command, about: about}
	w := new(words)
	switch b := m.Body.(type) {
	case *smb2.CreateRequest:
		lease := uint64(0)
		if b.Contexts.Has(smb2.ContextLease) {
			lease = uint64(b.Lease.State) + 1
		}
		w.n(uint64(b.OplockLevel), uint64(b.DesiredAccess), uint64(b.FileAttributes), uint64(b.ShareAccess), uint64(b.Disposition), uint64(b.Options),
			uint64(b.Contexts), lease, b.AllocationSize)
		k.kind, k.detail = uint32(b.Disposition), fmt.Sprintf("%v, access 0x%08x", b.Disposition, uint32(b.DesiredAccess))
	case *smb2.CloseRequest:
		w.n(uint64(b.Flags))
	case *smb2.ReadRequest:
		k.length = uint64(b.Length)
		if b.RemainingBytes > 0 && b.Channel != smb2.ChannelNone { // by RDMA, which the client of now may not have
			k.length = max(k.length, uint64(b.RemainingBytes))
		}
		k.rangeAt(w, b.Offset)
	case *smb2.WriteRequest:
		k.length = uint64(b.Length)
		if b.Channel != smb2.ChannelNone {
			k.length = max(k.length, uint64(b.RemainingBytes))
		}
		k.rangeAt(w, b.Offset)
		k.data = hash(b.Data)
		if pdu := rpcOf(b.Data); pdu != nil && isPipe(about) {
			w.b, k.length = nil, 0
			k.rpc(w, pdu)
		}
	case *smb2.LockRequest:
		for i := range b.Locks.Len() {
			e := b.Locks.At(i)
			w.n(e.Offset, e.Length, uint64(e.Flags))
		}
		k.offset, k.length = b.First.Offset, b.First.Length
		k.detail = fmt.Sprintf("offset %d, length %d, flags 0x%x", k.offset, k.length, uint32(b.First.Flags))
	case *smb2.IoctlRequest:
		k.control(w, b, other)
	case *smb2.QueryDirectoryRequest:
		w.n(uint64(b.Class), uint64(b.Flags))
		w.s(b.Pattern.String())
		k.kind, k.detail = uint32(b.Class), fmt.Sprintf("%s %q", b.Class.Level(), b.Pattern.String())
	case *smb2.ChangeNotifyRequest:
		w.n(uint64(b.Flags), uint64(b.Filter))
	case *smb2.QueryInfoRequest:
		w.n(uint64(b.Type), uint64(b.Class), uint64(b.OutputLength), uint64(b.Additional), uint64(b.Flags))
		w.bytes(b.InputData)
		k.kind, k.detail = uint32(b.Type)<<8|uint32(b.Class), fmt.Sprintf("type %d, class %d", b.Type, b.Class)
	case *smb2.SetInfoRequest:
		k.set(w, b)
	case *smb2.LeaseBreakAcknowledgment: // how far a client goes down is its own affair
		w.n(1)
	}
	head := new(words)
	head.n(uint64(m.Command))
	head.s(about)
	k.key = hash16(append(head.b, w.b...))
	return k
}

func hash16(b []byte) key {
	h := sha256.Sum256(b)
	return key(h[:len(key{})])
}

// hash tells contents apart, well enough to count how often they differ.
func hash(b []byte) uint64 {
	h := sha256.Sum256(b)
	return wire.GetU64(h[:])
}

// rangeAt makes a request mean a range.
func (k *meaning) rangeAt(w *words, offset uint64) {
	k.offset = offset
	w.n(offset, k.length)
	k.detail = fmt.Sprintf("offset %d, length %d", offset, k.length)
}

// control says what an IOCTL means.
func (k *meaning) control(w *words, b *smb2.IoctlRequest, other func(smb2.FileID) string) {
	k.kind, k.detail = uint32(b.Function), b.Function.String()
	w.n(uint64(b.Function), uint64(b.Flags), uint64(b.MaxOutput))
	at := func(offset, length uint64) {
		k.offset, k.length = offset, length
		k.detail += fmt.Sprintf(", offset %d, length %d", offset, length)
	}
	switch in := b.Input.(type) {
	case *odx.ReadRequest:
		w.n(uint64(in.Size), uint64(in.Flags), in.FileOffset, in.CopyLength)
		at(in.FileOffset, in.CopyLength)
		return
	case *odx.WriteRequest:
		w.n(uint64(in.Size), uint64(in.Flags), in.FileOffset, in.CopyLength, in.TransferOffset)
		w.bytes(in.Token.Raw) // as the capture has it: clients of now were given the same
		at(in.FileOffset, in.CopyLength)
		return
	case *fscc.CopyChunkRequest: // what is reserved in it may hold anything
		w.bytes(in.Source[:])
		w.n(uint64(in.Count))
		total := uint64(0)
		for i := range in.Chunks.Len() {
			c := in.Chunks.At(i)
			w.n(c.Source, c.Target, uint64(c.Length))
			total += uint64(c.Length)
		}
		if in.Chunks.Len() > 0 {
			at(in.Chunks.At(0).Target, total)
		}
		return
	case *fscc.DuplicateExtentsRequest:
		w.s(other(smb2.FileID(in.Source)))
		w.n(in.SourceOffset, in.TargetOffset, in.Length)
		at(in.TargetOffset, in.Length)
		return
	case *fscc.DuplicateExtentsExRequest:
		w.s(other(smb2.FileID(in.Source)))
		w.n(in.SourceOffset, in.TargetOffset, in.Length, uint64(in.Flags))
		at(in.TargetOffset, in.Length)
		return
	}
	switch b.Function {
	case fscc.PipeTransceive:
		k.rpc(w, rpcOf(b.InputData))
	case fscc.DFSGetReferrals, fscc.DFSGetReferralsEx, fscc.ValidateNegotiate: // they name servers
	default:
		w.bytes(b.InputData)
	}
}

// set says what a SET_INFO means: times are left out.
func (k *meaning) set(w *words, b *smb2.SetInfoRequest) {
	w.n(uint64(b.Type), uint64(b.Class), uint64(b.Additional))
	k.kind, k.detail = uint32(b.Type)<<8|uint32(b.Class), fmt.Sprintf("type %d, class %d", b.Type, b.Class)
	const basicSize, attributesAt = 36, 32
	const renameFixed = 20 // ReplaceIfExists, RootDirectory, FileNameLength. [MS-FSCC] 2.4.43
	in := b.Data
	switch {
	case b.Type == fscc.TypeFile && fscc.FileClass(b.Class) == fscc.FileBasic && len(in) >= basicSize:
		w.bytes(in[attributesAt:basicSize])
		for i := range 4 { // which times are set; not to what
			v := wire.GetU64(in[8*i:])
			w.n(map[bool]uint64{true: v, false: 1}[v == 0 || v >= 1<<63])
		}
	case b.Type == fscc.TypeFile && (fscc.FileClass(b.Class) == fscc.FileRename || fscc.FileClass(b.Class) == fscc.FileLink) && len(in) > renameFixed:
		name := wire.UTF16(in[renameFixed:][:min(len(in)-renameFixed, int(wire.GetU32(in[16:])))]).String()
		w.n(uint64(in[0]))
		w.s(strings.Trim(name, `\`))
		k.detail += fmt.Sprintf(", to %q", name)
	default:
		w.bytes(in)
	}
}

// isPipe reports whether a file is a named pipe.
func isPipe(about string) bool { return strings.HasPrefix(about, `ipc$\`) }

// rpcOf returns a DCE/RPC PDU of the connection-oriented protocol, nil if b is none.
func rpcOf(b []byte) []byte {
	if len(b) >= 16 && b[0] == 5 {
		return b
	}
	return nil
}

// rpc makes a request mean a call: which, not what of, as that names servers and handles.
// [C706] 12.6.4.9
func (k *meaning) rpc(w *words, pdu []byte) {
	const request, opnumAt = 0, 22
	if pdu == nil {
		return
	}
	kind, opnum := pdu[2], uint64(0)
	if kind == request && len(pdu) >= opnumAt+2 {
		opnum = uint64(wire.GetU16(pdu[opnumAt:]))
	}
	w.n(uint64(kind), opnum)
	const tail = 16 // behind names, most of what tells levels of a call apart
	k.data = hash(pdu[max(16, len(pdu)-tail):])
	k.detail += fmt.Sprintf(" RPC type %d, operation %d", kind, opnum)
}

// String says in a line what a request means.
func (k *meaning) String() string {
	s := k.command.Name()
	if k.about != "" {
		s += " " + k.about
	}
	if k.detail != "" {
		s += ": " + strings.TrimPrefix(k.detail, " ")
	}
	return s
}
