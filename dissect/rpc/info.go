package rpc

import "strconv"

// AppendInfo appends what Wireshark's Info column says of the PDU, such as
// "Bind: call_id: 2, Fragment: Single, 1 context items: SRVSVC V3.0 (32bit NDR)".
//
// Of a call whose procedure has a name it is that: "NetShareEnumAll request". What
// Wireshark says then of the arguments is missing.
func (h *Header) AppendInfo(b []byte) []byte {
	if op := h.operation(); op != "" {
		b = append(b, op...)
		if h.Type == Request {
			return append(b, " request"...)
		}
		b = append(b, " response"...)
		if r, ok := h.Returned(); ok && r.Code != 0 {
			b = append(append(b, ", Error: "...), r.String()...)
		}
		return b
	}
	b = append(append(b, h.Type.String()...), ": call_id: "...)
	b = strconv.AppendUint(b, uint64(h.CallID), 10)
	b = append(append(b, ", Fragment: "...), h.Flags.fragment()...)
	switch h.Type {
	case Request:
		b = appendNumber(b, ", opnum: ", h.Opnum)
		b = h.appendContext(b)
	case Response:
		b = h.appendContext(b)
	case Fault:
		b = appendNumber(b, ", Ctx: ", h.ContextID)
		b = h.Status.appendTo(append(b, ", status: "...))
	case Bind, AlterContext:
		b = appendNumber(b, ", ", uint16(h.Items))
		b = append(b, " context items: "...)
		for i := range min(h.Items, len(h.Offers)) {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = append(h.Offers[i].Interface.appendTo(b), " ("...)
			b = append(appendSyntax(b, h.Offers[i].Transfer), ')')
		}
	case BindAck, AlterContextResp:
		b = appendNumber(b, ", max_xmit: ", h.MaxXmit)
		b = appendNumber(b, " max_recv: ", h.MaxRecv)
		b = appendNumber(b, ", ", uint16(h.Items))
		b = append(b, " results: "...)
		for i := range min(h.Items, len(h.Answers)) {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = append(b, h.Answers[i].Result.String()...)
		}
	case BindNak:
		b = append(append(b, " reason: "...), h.Reject.String()...)
	}
	if more := h.Items - len(h.Offers); more > 0 {
		b = append(b, ", …"...)
	}
	return h.Auth.Message.AppendInfo(b)
}

// operation returns the name of the procedure if the PDU completes a call or an
// answer to it, and could be read.
func (h *Header) operation() string {
	call := h.Type == Request || h.Type == Response && h.paired
	if !call || h.Partial || h.Flags&LastFrag == 0 || h.Auth.Level == Privacy {
		return ""
	}
	return Operation(h.Interface.UUID, h.Opnum)
}

// appendContext appends the context of a call, and where the call ends its interface,
// if that is known.
func (h *Header) appendContext(b []byte) []byte {
	b = appendNumber(b, ", Ctx: ", h.ContextID)
	if h.Interface == (Syntax{}) || h.Flags&LastFrag == 0 {
		return b
	}
	b = appendInterface(append(b, ' '), h.Interface.UUID)
	return appendNumber(b, " V", h.Interface.Major)
}

func appendNumber(b []byte, text string, n uint16) []byte {
	return strconv.AppendUint(append(b, text...), uint64(n), 10)
}

func (s Status) appendTo(b []byte) []byte {
	if name, ok := statuses[s]; ok {
		return append(b, name...)
	}
	const digits = "0123456789abcdef"
	b = append(b, "Unknown (0x"...)
	for shift := 28; shift >= 0; shift -= 4 {
		b = append(b, digits[s>>shift&15])
	}
	return append(b, ')')
}
