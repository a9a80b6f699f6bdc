package rpc

import (
	"maps"

	"github.com/odxray/odxray/dissect/wire"
)

var (
	call       = fields.Section("[C706] 12.6.4.9, 12.6.4.10")
	fAllocHint = call.Uint("dcerpc.cn_alloc_hint", "Alloc hint")
	fContextID = call.Uint("dcerpc.cn_ctx_id", "Context ID")
	fOpnum     = call.Uint("dcerpc.opnum", "Opnum")
	fObject    = call.GUID("dcerpc.obj_id", "Object UUID")
	fOperation = call.String("dcerpc.operation", "Operation")
	fCancels   = call.Uint("dcerpc.cn_cancel_count", "Cancel count")
	fStub      = call.Bytes("dcerpc.stub_data", "Stub data")
	fEncrypted = call.Bytes("dcerpc.encrypted_stub_data", "Encrypted stub data")
	fRequestIn = call.Frame("dcerpc.request_in", "Request in frame")
	fElapsed   = call.Duration("dcerpc.time", "Time from request")
)

var (
	faults      = fields.Section("[C706] 12.6.4.7, [MS-RPCE] 2.2.2.8")
	fFaultFlags = faults.Hex("dcerpc.cn_fault_flags", "Fault flags").List(
		faults.Flag(1, "dcerpc.cn_fault_flags.extended_error", "Extended error information present", "False", "True"))
	fStatus    = faults.Enum("dcerpc.cn_status", "Status", wire.Text[Status]).InHex().Among(wire.Numbers(maps.Keys(statuses)))
	fFaultStub = faults.Bytes("dcerpc.fault_stub_data", "Fault stub data")
)

func (h *Header) request(p *pdu, ctx *Context) {
	h.AllocHint = p.u32(fAllocHint)
	h.ContextID = p.u16(fContextID)
	h.Opnum = p.u16(fOpnum)
	if h.Flags&HasObject != 0 {
		h.Object = p.uuid(fObject)
	}
	h.Interface = ctx.bound(h.ContextID)
	h.name(p)
	h.stub(p)
}

func (h *Header) response(p *pdu, ctx *Context) {
	h.answer(p, ctx)
	p.Pass(fReserved, 1)
	h.pair(p, ctx)
	h.stub(p)
	if r, ok := h.Returned(); ok && p.Recording() {
		p.Note(fReturn, 0, r.String())
	}
}

func (h *Header) fault(p *pdu, ctx *Context) {
	h.answer(p, ctx)
	p.U8(fFaultFlags)
	h.Status = Status(p.u32(fStatus))
	p.Skip(fReserved, 4)
	h.pair(p, ctx)
	if n := p.Len() - int(h.Auth.PadLength); n > 0 {
		p.Skip(fFaultStub, n)
	}
}

// answer reads what a Response and a Fault begin with.
func (h *Header) answer(p *pdu, ctx *Context) {
	h.AllocHint = p.u32(fAllocHint)
	h.ContextID = p.u16(fContextID)
	p.U8(fCancels)
	h.Interface = ctx.bound(h.ContextID)
}

// pair shows what the request of an answer said.
func (h *Header) pair(p *pdu, ctx *Context) {
	call := ctx.call(h.CallID)
	if call == nil {
		return
	}
	h.Opnum, h.paired = call.Opnum, true
	p.Note(fOpnum, uint64(call.Opnum), "")
	p.Note(fRequestIn, uint64(call.Frame), "")
	p.Note(fElapsed, uint64(ctx.Time-call.Time), "")
	h.name(p)
}

// name shows what the procedure is called.
func (h *Header) name(p *pdu) {
	if op := Operation(h.Interface.UUID, h.Opnum); op != "" {
		p.Note(fOperation, 0, op)
	}
}

// stub reads arguments, up to the padding before the trailer.
func (h *Header) stub(p *pdu) {
	f := fStub
	if h.AuthLength > 0 && h.Auth.Level == Privacy {
		f = fEncrypted
	}
	if n := p.Len() - int(h.Auth.PadLength); n > 0 {
		again := *p.Cursor
		h.Stub = p.Bytes(f, n)
		if h.Type == Request && h.AuthLength > 0 && f == fStub && p.Recording() {
			verify(again, h.Stub)
		}
	}
}
