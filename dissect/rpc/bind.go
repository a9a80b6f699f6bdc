package rpc

import (
	"fmt"
	"strconv"

	"github.com/odxray/odxray/dissect/wire"
)

var (
	binding     = fields.Section("[C706] 12.6.4.3")
	fMaxXmit    = binding.Uint("dcerpc.cn_max_xmit", "Max Xmit Frag")
	fMaxRecv    = binding.Uint("dcerpc.cn_max_recv", "Max Recv Frag")
	fAssocGroup = binding.Hex("dcerpc.cn_assoc_group", "Assoc Group")
	fNumItems   = binding.Uint("dcerpc.cn_num_ctx_items", "Num Ctx Items")
	fOffer      = binding.Struct("", "Ctx Item").Formatted(func(v uint64) string {
		return fmt.Sprintf("[%d]: Context ID:%d", v>>16, uint16(v))
	})
	fNumTransfer   = binding.Uint("dcerpc.cn_num_trans_items", "Num Trans Items")
	fAbstract      = binding.Struct("dcerpc.cn_bind_abstract_syntax", "Abstract Syntax")
	fInterface     = binding.GUID("dcerpc.cn_bind_to_uuid", "Interface UUID")
	fKnown         = binding.GUID("dcerpc.cn_bind_to_uuid", "Interface").Formatted(func(v uint64) string { return interfaces[v-1].title + " UUID: " + interfaces[v-1].uuid })
	fMajor         = binding.Uint("dcerpc.cn_bind_if_ver", "Interface Ver")
	fMinorVersion  = binding.Uint("dcerpc.cn_bind_if_ver_minor", "Interface Ver Minor")
	fTransfer      = binding.Struct("dcerpc.cn_bind_trans", "Transfer Syntax").Formatted(func(v uint64) string { return fmt.Sprintf("[%d]", v) })
	fSyntax        = binding.GUID("dcerpc.cn_bind_trans_id", "Transfer Syntax")
	fKnownSyntax   = binding.GUID("dcerpc.cn_bind_trans_id", "Transfer Syntax").Formatted(func(v uint64) string { return syntaxes[v-1].title + " UUID:" + syntaxes[v-1].uuid })
	fFeatureSyntax = binding.GUID("dcerpc.cn_bind_trans_id", "Transfer Syntax: Bind Time Feature Negotiation UUID")
	fSyntaxVersion = binding.Uint("dcerpc.cn_bind_trans_ver", "ver")
)

var (
	features  = fields.Section("[MS-RPCE] 2.2.2.14")
	fFeatures = features.Hex("dcerpc.cn_bind_trans_btfn", "Bind Time Features").List(
		features.Flag(1, "dcerpc.cn_bind_trans_btfn.01", "Security Context Multiplexing Supported", "False", "True"),
		features.Flag(2, "dcerpc.cn_bind_trans_btfn.02", "Keep Connection On Orphan Supported", "False", "True"))
)

var (
	answers       = fields.Section("[C706] 12.6.4.4")
	fAddressSize  = answers.Uint("dcerpc.cn_sec_addr_len", "Scndry Addr len")
	fAddress      = answers.ASCII("dcerpc.cn_sec_addr", "Scndry Addr")
	fNumResults   = answers.Uint("dcerpc.cn_num_results", "Num results")
	fAnswer       = answers.Struct("", "Ctx Item").Formatted(func(v uint64) string { return fmt.Sprintf("[%d]: %s", v>>16, Result(v)) })
	fResult       = answers.Enum("dcerpc.cn_ack_result", "Ack result", wire.Text[Result])
	fReason       = answers.Enum("dcerpc.cn_ack_reason", "Ack reason", wire.Text[Reason])
	fAckSyntax    = answers.GUID("dcerpc.cn_ack_trans_id", "Transfer Syntax")
	fAckKnown     = answers.GUID("dcerpc.cn_ack_trans_id", "Transfer Syntax").Formatted(func(v uint64) string { return syntaxes[v-1].title })
	fAckSyntaxVer = answers.Uint("dcerpc.cn_ack_trans_ver", "Syntax ver")
)

var (
	refusal    = fields.Section("[C706] 12.6.4.5")
	fReject    = refusal.Enum("dcerpc.cn_reject_reason", "Reject reason", wire.Text[RejectReason])
	fProtocols = refusal.Uint("dcerpc.cn_num_protocols", "Number of protocols")
	fProtoMaj  = refusal.Uint("dcerpc.cn_protocol_ver_major", "Protocol major version")
	fProtoMin  = refusal.Uint("dcerpc.cn_protocol_ver_minor", "Protocol minor version")
)

// featurePrefix begins the UUID that stands for features instead of an encoding; the
// features follow it. [MS-RPCE] 3.3.1.5.3
var featurePrefix = parse("6cb71c2c-9812-4540-0000-000000000000")

func isFeatures(g *wire.GUID) bool { return string(g[:8]) == string(featurePrefix[:8]) }

// uuid reads a UUID. Of a big-endian one, tree and result have the little-endian form.
func (p *pdu) uuid(f *wire.Field) wire.GUID {
	g := p.GUID(f)
	if p.big {
		mark := p.Below(f)
		if swap(&g); mark >= 0 {
			p.Title(mark, 0, g.String())
		}
	}
	return g
}

// known is uuid with a field for those that names has, and one for others.
func (p *pdu) known(names map[wire.GUID]int, known, other *wire.Field) wire.GUID {
	look := p.Ahead()
	ahead := pdu{&look, p.big}
	i := names[ahead.uuid(other)]
	if i == 0 {
		return p.uuid(other)
	}
	g := p.uuid(known)
	p.Title(p.Below(known), uint64(i), "")
	return g
}

func (h *Header) limits(p *pdu) {
	h.MaxXmit = p.u16(fMaxXmit)
	h.MaxRecv = p.u16(fMaxRecv)
	h.AssocGroup = p.u32(fAssocGroup)
}

func (h *Header) bind(p *pdu) {
	h.limits(p)
	h.Items = int(p.U8(fNumItems))
	p.Pass(fReserved, 3)
	for i := 0; i < h.Items && p.Err() == nil; i++ {
		o := p.offer(i + 1)
		if i < len(h.Offers) {
			h.Offers[i] = o
		}
	}
}

// offer reads the offer that is number n.
func (p *pdu) offer(n int) (o Offer) {
	mark := p.Open(fOffer)
	o.ContextID = p.u16(fContextID)
	count := int(p.U8(fNumTransfer))
	p.Pass(fReserved, 1)

	abstract := p.Open(fAbstract)
	o.Interface.UUID = p.known(interfaceOf, fKnown, fInterface)
	if p.big {
		o.Interface.Minor = p.u16(fMinorVersion)
		o.Interface.Major = p.u16(fMajor)
	} else {
		o.Interface.Major = p.u16(fMajor)
		o.Interface.Minor = p.u16(fMinorVersion)
	}
	var text []byte // of the lines above, if there is a tree
	if abstract >= 0 {
		p.Title(abstract, 0, string(o.Interface.appendTo(nil)))
		text = appendInterface([]byte(", "), o.Interface.UUID)
	}
	p.Close(abstract)

	for i := 0; i < count && p.Err() == nil; i++ {
		o.Transfer = p.transfer(i + 1)
		if mark >= 0 {
			text = appendTransfer(append(text, ", "...), &o.Transfer)
		}
	}
	if mark >= 0 {
		p.Title(mark, uint64(n)<<16|uint64(o.ContextID), string(text))
	}
	p.Close(mark)
	return o
}

// transfer reads the encoding that is number n.
func (p *pdu) transfer(n int) wire.GUID {
	mark := p.Open(fTransfer)
	again := *p.Cursor
	look := p.Ahead()
	ahead := pdu{&look, p.big}
	g := ahead.uuid(fSyntax)
	if isFeatures(&g) {
		p.uuid(fFeatureSyntax)
		again.Pass(fFeatures, 8)
		again.U16(fFeatures)
	} else {
		p.known(syntaxOf, fKnownSyntax, fSyntax)
	}
	version := p.u32(fSyntaxVersion)
	if mark >= 0 {
		text := append(appendTransfer(nil, &g), " V"...)
		p.Title(mark, uint64(n), string(strconv.AppendUint(text, uint64(version), 10)))
	}
	p.Close(mark)
	return g
}

func (h *Header) bindAck(p *pdu) {
	h.limits(p)
	n := int(p.u16(fAddressSize))
	if n > 0 {
		h.Address = p.Bytes(fAddress, n-1)
		p.Pass(fAddress, 1) // a zero
	}
	// "restore 4-octet alignment": sizes before are even but for the address.
	p.Pass(fAddress, -(n+2)&3)
	h.Items = int(p.U8(fNumResults))
	p.Pass(fReserved, 3)
	for i := 0; i < h.Items && p.Err() == nil; i++ {
		a := p.answer(i + 1)
		if i < len(h.Answers) {
			h.Answers[i] = a
		}
	}
}

// answer reads the answer that is number n.
func (p *pdu) answer(n int) (a Answer) {
	mark := p.Open(fAnswer)
	a.Result = Result(p.u16(fResult))
	switch a.Result {
	case Acceptance:
		p.Pass(fReserved, 2)
	case NegotiateAck:
		p.u16(fFeatures)
	default:
		a.Reason = Reason(p.u16(fReason))
	}
	g := p.known(syntaxOf, fAckKnown, fAckSyntax)
	p.u32(fAckSyntaxVer)
	if mark >= 0 {
		p.Title(mark, uint64(n)<<16|uint64(a.Result), string(appendTransfer([]byte(", "), &g)))
	}
	p.Close(mark)
	return a
}

func (h *Header) bindNak(p *pdu) {
	h.Reject = RejectReason(p.u16(fReject))
	const version = 4 // the only reason with something to add
	if h.Reject != version || p.Len() == 0 {
		return
	}
	for range p.U8(fProtocols) {
		if p.Err() != nil {
			return
		}
		p.U8(fProtoMaj)
		p.U8(fProtoMin)
	}
}

// appendTo appends the interface's name and version, SRVSVC V3.0.
func (s *Syntax) appendTo(b []byte) []byte {
	b = append(appendInterface(b, s.UUID), " V"...)
	b = append(strconv.AppendUint(b, uint64(s.Major), 10), '.')
	return strconv.AppendUint(b, uint64(s.Minor), 10)
}

// appendTransfer appends what the tree calls an encoding.
func appendTransfer(b []byte, g *wire.GUID) []byte {
	if isFeatures(g) {
		return append(b, "Bind Time Feature Negotiation"...)
	}
	return appendSyntax(b, *g)
}
