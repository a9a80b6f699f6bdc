package ib

// Opcode says what a packet is. The upper three bits are the transport service, the
// lower five the operation. [IBTA] 9.2.1
type Opcode uint8

// Operations of a reliable connection; those of the other services have the same lower
// bits.
const (
	SendFirst              Opcode = 0x00
	SendMiddle             Opcode = 0x01
	SendLast               Opcode = 0x02
	SendLastImmediate      Opcode = 0x03
	SendOnly               Opcode = 0x04
	SendOnlyImmediate      Opcode = 0x05
	WriteFirst             Opcode = 0x06
	WriteMiddle            Opcode = 0x07
	WriteLast              Opcode = 0x08
	WriteLastImmediate     Opcode = 0x09
	WriteOnly              Opcode = 0x0a
	WriteOnlyImmediate     Opcode = 0x0b
	ReadRequest            Opcode = 0x0c
	ReadResponseFirst      Opcode = 0x0d
	ReadResponseMiddle     Opcode = 0x0e
	ReadResponseLast       Opcode = 0x0f
	ReadResponseOnly       Opcode = 0x10
	Acknowledge            Opcode = 0x11
	AtomicAcknowledge      Opcode = 0x12
	CompareSwap            Opcode = 0x13
	FetchAdd               Opcode = 0x14
	SendLastInvalidate     Opcode = 0x16
	SendOnlyInvalidate     Opcode = 0x17
	DatagramSend           Opcode = 0x64
	DatagramSendImmediate  Opcode = 0x65
	CongestionNotification Opcode = 0x81 // CNP. [IBTA] A17.9.3
)

// Service is the transport service of an Opcode. [IBTA] 9.2.1
type Service uint8

const (
	Reliable   Service = 0 // RC
	Unreliable Service = 1 // UC
	Datagram   Service = 3 // UD
	extended   Service = 5 // XRC, which names are known of
)

// Service returns the transport service.
func (o Opcode) Service() Service { return Service(o >> 5) }

// headers is what lies between the base header and the payload, in this order.
type headers uint8

const (
	hasDETH headers = 1 << iota
	hasRETH
	hasAtomic
	hasAETH
	hasAtomicAck
	hasImmediate
	hasInvalidate
	hasPayload
)

// operation is what the lower five bits of an opcode mean.
type operation struct {
	title string // as the field says it
	short string // as the Info column says it
	after headers
}

var operations = [32]operation{
	SendFirst:          {"SEND First", "Send First", hasPayload},
	SendMiddle:         {"SEND Middle", "Send Middle", hasPayload},
	SendLast:           {"SEND Last", "Send Last", hasPayload},
	SendLastImmediate:  {"SEND Last with Immediate", "Send Last Immediate", hasImmediate | hasPayload},
	SendOnly:           {"SEND Only", "Send Only", hasPayload},
	SendOnlyImmediate:  {"SEND Only with Immediate", "Send Only Immediate", hasImmediate | hasPayload},
	WriteFirst:         {"RDMA WRITE First", "RDMA Write First", hasRETH | hasPayload},
	WriteMiddle:        {"RDMA WRITE Middle", "RDMA Write Middle", hasPayload},
	WriteLast:          {"RDMA WRITE Last", "RDMA Write Last", hasPayload},
	WriteLastImmediate: {"RDMA WRITE Last with Immediate", "RDMA Write Last Immediate", hasImmediate | hasPayload},
	WriteOnly:          {"RDMA WRITE Only", "RDMA Write Only", hasRETH | hasPayload},
	WriteOnlyImmediate: {"RDMA WRITE Only with Immediate", "RDMA Write Only Immediate", hasRETH | hasImmediate | hasPayload},
	ReadRequest:        {"RDMA READ Request", "RDMA Read Request", hasRETH},
	ReadResponseFirst:  {"RDMA READ response First", "RDMA Read Response First", hasAETH | hasPayload},
	ReadResponseMiddle: {"RDMA READ response Middle", "RDMA Read Response Middle", hasPayload},
	ReadResponseLast:   {"RDMA READ response Last", "RDMA Read Response Last", hasAETH | hasPayload},
	ReadResponseOnly:   {"RDMA READ response Only", "RDMA Read Response Only", hasAETH | hasPayload},
	Acknowledge:        {"Acknowledge", "Acknowledge", hasAETH},
	AtomicAcknowledge:  {"ATOMIC Acknowledge", "Atomic Acknowledge", hasAETH | hasAtomicAck},
	CompareSwap:        {"CmpSwap", "Compare Swap", hasAtomic},
	FetchAdd:           {"FetchAdd", "Fetch Add", hasAtomic},
	SendLastInvalidate: {"SEND Last with Invalidate", "Send Last Invalidate", hasInvalidate | hasPayload},
	SendOnlyInvalidate: {"SEND Only with Invalidate", "Send Only Invalidate", hasInvalidate | hasPayload},
}

// layout returns the headers of a packet; ok is false for a service or an operation whose
// packets are not followed past the base header.
func (o Opcode) layout() (h headers, ok bool) {
	op := &operations[o&0x1f]
	switch o.Service() {
	case Reliable:
		return op.after, op.after != 0
	case Unreliable:
		return op.after, o&0x1f <= WriteOnlyImmediate
	}
	switch o {
	case DatagramSend:
		return hasDETH | hasPayload, true
	case DatagramSendImmediate:
		return hasDETH | hasImmediate | hasPayload, true
	}
	return 0, false
}

// String returns the name as the packet's tree has it.
func (o Opcode) String() string {
	op := &operations[o&0x1f]
	switch o {
	case DatagramSend:
		return "Unreliable Datagram (UD) - SEND only"
	case DatagramSendImmediate:
		return "Unreliable Datagram (UD) - SEND only with Immediate"
	case CongestionNotification:
		return "CNP"
	}
	switch s := o.Service(); {
	case op.title == "":
	case s == Reliable:
		return "Reliable Connection (RC) - " + op.title
	case s == Unreliable && o&0x1f <= WriteOnlyImmediate:
		return "Unreliable Connection (UC) - " + op.title
	case s == extended:
		return "Extended Reliable Connection (XRC) - " + op.title
	}
	return "Unknown"
}

// short returns the service and the name as the Info column has them.
func (o Opcode) short() (service, name string) {
	switch o {
	case DatagramSend:
		return "UD ", "Send Only"
	case DatagramSendImmediate:
		return "UD ", "Send Only Immediate"
	case CongestionNotification:
		return "", "CNP"
	}
	op := &operations[o&0x1f]
	switch s := o.Service(); {
	case op.short == "":
	case s == Reliable:
		return "RC ", op.short
	case s == Unreliable && o&0x1f <= WriteOnlyImmediate:
		return "UC ", op.short
	}
	return "", "Unknown OpCode"
}
