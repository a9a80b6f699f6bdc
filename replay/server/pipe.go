package server

import (
	"encoding/binary"
	"strings"
	"unicode/utf16"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

// pipe is the one named pipe: srvsvc, as far as it lists the shares. [MS-SRVS] 3.1.4
type pipe struct {
	answer []byte // what was not read yet
}

const maxPDU = 4280 // bytes of a fragment, as Windows and Samba have it

// createPipe opens a pipe of IPC$.
func (r *request) createPipe(m *smb2.CreateRequest) status {
	if !strings.EqualFold(strings.TrimPrefix(m.Name.String(), `\`), "srvsvc") {
		return ntstatus.ObjectNameNotFound
	}
	s := r.c.s
	o := &open{s: s, sess: r.sess, tree: r.tree, access: granted(m.DesiredAccess), pipe: new(pipe)}
	s.mu.Lock()
	full := s.opens >= s.cfg.Limits.Opens
	if !full {
		s.register(o)
	}
	s.mu.Unlock()
	if full {
		return ntstatus.InsufficientResources
	}
	r.chain.open, r.file = o, o
	out := smb2.CreateResponse{Action: smb2.ActionOpened, AllocationSize: clusterSize, Attributes: fscc.AttributeNormal, File: o.id}
	r.body = out.Append(nil)
	return ntstatus.Success
}

func (r *request) writePipe(o *open, b []byte) status {
	o.pipe.call(r.c.s, b)
	r.body = (&smb2.WriteResponse{Count: uint32(len(b))}).Append(nil)
	return ntstatus.Success
}

func (r *request) readPipe(o *open, most uint32) status {
	b, st := o.pipe.take(most)
	if b != nil {
		r.body = (&smb2.ReadResponse{Data: b}).Append(nil)
	}
	return st
}

// take reads up to most bytes of what the pipe has to say.
func (p *pipe) take(most uint32) ([]byte, status) {
	if len(p.answer) == 0 {
		return nil, ntstatus.PipeEmpty
	}
	n := min(len(p.answer), int(most))
	b := p.answer[:n]
	if p.answer = p.answer[n:]; len(p.answer) > 0 {
		return b, ntstatus.BufferOverflow
	}
	return b, ntstatus.Success
}

// transceive serves FSCTL_PIPE_TRANSCEIVE: a write and a read.
func (r *request) transceive(o *open, m *smb2.IoctlRequest) ([]byte, status) {
	if o.pipe == nil {
		return nil, ntstatus.InvalidDeviceRequest
	}
	o.pipe.call(r.c.s, m.InputData)
	return o.pipe.take(m.MaxOutput)
}

func (r *request) queryPipe(o *open, class fscc.FileClass, most uint32) status {
	if class != fscc.FileStandard || most < 24 {
		return ntstatus.InvalidInfoClass
	}
	info := fscc.StandardInfo{AllocationSize: clusterSize, Links: 1, DeletePending: true}
	r.body = smb2.AppendOutput(nil, info.Append(nil))
	return ntstatus.Success
}

// Packet types of DCE/RPC. [C706] 12.6.4
const (
	rpcRequest, rpcResponse, rpcFault, rpcBind, rpcBindAck = 0, 2, 3, 11, 12

	shareEnum = 15 // NetrShareEnum
	badOpnum  = 0x1c010002
)

var le = binary.LittleEndian

// call answers a PDU. What is no request of one fragment gets a fault.
func (p *pipe) call(s *Server, b []byte) {
	const header = 16
	if len(b) < header+8 || b[0] != 5 {
		return
	}
	id := le.Uint32(b[12:])
	pdu := func(kind byte, body []byte) {
		out := []byte{5, 0, kind, 3, 0x10, 0, 0, 0}
		out = wire.AppendU16(out, uint16(header+len(body)))
		out = wire.AppendU16(out, 0)
		out = wire.AppendU32(out, id)
		p.answer = append(out, body...)
	}
	switch b[2] {
	case rpcBind:
		pdu(rpcBindAck, bindAck(b[header:]))
	case rpcRequest:
		context, opnum := le.Uint16(b[20:]), le.Uint16(b[22:])
		head := wire.AppendU32(nil, 0)
		head = wire.AppendU32(wire.AppendU16(head, context)[:6], 0)[:8]
		if opnum != shareEnum {
			pdu(rpcFault, append(head, wire.AppendU64(nil, badOpnum)...))
			return
		}
		stub := shareList(s)
		le.PutUint32(head, uint32(len(stub)))
		pdu(rpcResponse, append(head, stub...))
	}
}

// bindAck takes the first presentation context with NDR and refuses all others.
func bindAck(b []byte) []byte {
	ndr := []byte{0x04, 0x5d, 0x88, 0x8a, 0xeb, 0x1c, 0xc9, 0x11, 0x9f, 0xe8, 0x08, 0x00, 0x2b, 0x10, 0x48, 0x60, 2, 0, 0, 0}
	out := wire.AppendU16(nil, maxPDU)
	out = wire.AppendU16(out, maxPDU)
	out = wire.AppendU32(out, 0x53f0) // association group
	address := `\PIPE\srvsvc` + "\x00"
	out = wire.AppendU16(out, uint16(len(address)))
	out = append(out, address...)
	out = wire.Align(out, 0, 4)
	n, results := 0, []byte(nil)
	// Each context: id, number of transfer syntaxes, abstract syntax, transfer syntaxes.
	for at := 12; n < 8 && len(b) > 8 && n < int(b[8]) && at+24 <= len(b); n++ {
		syntaxes := int(b[at+2])
		end := at + 24 + 20*syntaxes
		if end > len(b) {
			break
		}
		result := []byte{2, 0, 2, 0} // provider rejection: transfer syntaxes not supported
		syntax := make([]byte, 20)
		for i := range syntaxes {
			if string(b[at+24+20*i:at+24+20*i+16]) == string(ndr[:16]) {
				result, syntax = []byte{0, 0, 0, 0}, ndr
			}
		}
		results = append(append(results, result...), syntax...)
		at = end
	}
	out = append(out, byte(n), 0, 0, 0)
	return append(out, results...)
}

// shareList is the answer to NetrShareEnum at level 1. [MS-SRVS] 3.1.4.8
func shareList(s *Server) []byte {
	shares := []struct {
		name, remark string
		kind         uint32
	}{{s.cfg.Share, "lab server", 0}, {"IPC$", "", 0x80000003}}
	u32 := wire.AppendU32
	b := u32(nil, 1) // level
	b = u32(b, 1)    // union
	b = u32(b, 0x20004)
	b = u32(b, uint32(len(shares)))
	b = u32(b, 0x20008)
	b = u32(b, uint32(len(shares)))
	for i, sh := range shares {
		b = u32(b, 0x20010+uint32(i)*8)
		b = u32(b, sh.kind)
		b = u32(b, 0x20014+uint32(i)*8)
	}
	text := func(t string) {
		units := append(utf16.Encode([]rune(t)), 0)
		b = u32(u32(u32(b, uint32(len(units))), 0), uint32(len(units)))
		for _, u := range units {
			b = wire.AppendU16(b, u)
		}
		b = wire.Align(b, 0, 4)
	}
	for _, sh := range shares {
		text(sh.name)
		text(sh.remark)
	}
	b = u32(b, uint32(len(shares)))
	b = u32(b, 0x20100) // resume handle
	b = u32(b, 0)
	return u32(b, 0) // WERR_OK
}
