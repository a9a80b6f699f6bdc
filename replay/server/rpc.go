package server

import (
	"encoding/binary"

	"github.com/odxray/odxray/dissect/wire"
)

// Packet types of DCE/RPC. [C706] 12.6.4
const (
	rpcRequest, rpcResponse, rpcFault, rpcBind, rpcBindAck, rpcAlter, rpcAlterAnswer = 0, 2, 3, 11, 12, 14, 15

	rpcHeader = 16   // bytes
	rpcWhole  = 3    // flags of the first fragment that is the last
	maxPDU    = 4280 // bytes of a fragment, as Windows and Samba have it

	badOpnum    = 0x1c010002
	badFragment = 0x1c01000b // nca_proto_error
	badStub     = 0x6f7      // RPC_X_BAD_STUB_DATA
)

var le = binary.LittleEndian

// call answers a PDU. What is no request of one fragment gets a fault.
func (p *pipe) call(s *Server, b []byte) {
	if len(b) < rpcHeader+8 || b[0] != 5 {
		return
	}
	id := le.Uint32(b[12:])
	pdu := func(kind byte, body []byte) {
		out := []byte{5, 0, kind, rpcWhole, 0x10, 0, 0, 0}
		out = wire.AppendU16(out, uint16(rpcHeader+len(body)))
		out = wire.AppendU16(out, 0)
		out = wire.AppendU32(out, id)
		p.answer = append(out, body...)
	}
	switch b[2] {
	case rpcBind:
		pdu(rpcBindAck, bindAck(b[rpcHeader:]))
	case rpcAlter:
		pdu(rpcAlterAnswer, bindAck(b[rpcHeader:]))
	case rpcRequest:
		context, opnum := le.Uint16(b[20:]), le.Uint16(b[22:])
		head := wire.AppendU64(nil, 0) // AllocHint, context, cancels
		wire.PutU16(head[4:], context)
		stub, fault := s.srvsvc(opnum, b[rpcHeader+8:])
		if b[3]&rpcWhole != rpcWhole {
			fault = badFragment
		}
		if fault != 0 {
			pdu(rpcFault, append(head, wire.AppendU64(nil, uint64(fault))...))
		} else {
			wire.PutU32(head, uint32(len(stub)))
			pdu(rpcResponse, append(head, stub...))
		}
	}
}

// Syntaxes of presentation contexts, with their versions.
var (
	ndrSyntax    = []byte{0x04, 0x5d, 0x88, 0x8a, 0xeb, 0x1c, 0xc9, 0x11, 0x9f, 0xe8, 0x08, 0x00, 0x2b, 0x10, 0x48, 0x60, 2, 0, 0, 0}
	srvsvcSyntax = []byte{0xc8, 0x4f, 0x32, 0x4b, 0x70, 0x16, 0xd3, 0x01, 0x12, 0x78, 0x5a, 0x47, 0xbf, 0x6e, 0xe1, 0x88, 3, 0, 0, 0}
)

// bindAck takes presentation contexts of srvsvc with NDR and refuses all others.
func bindAck(b []byte) []byte {
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
			if string(b[at+24+20*i:at+24+20*i+16]) == string(ndrSyntax[:16]) {
				result, syntax = []byte{0, 0, 0, 0}, ndrSyntax
			}
		}
		if string(b[at+4:at+24]) != string(srvsvcSyntax) {
			result, syntax = []byte{2, 0, 1, 0}, make([]byte, 20) // abstract syntax not supported
		}
		results = append(append(results, result...), syntax...)
		at = end
	}
	out = append(out, byte(n), 0, 0, 0)
	return append(out, results...)
}
