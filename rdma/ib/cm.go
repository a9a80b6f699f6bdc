package ib

import (
	"net/netip"

	"github.com/odxray/odxray/dissect/wire"
)

// managementQP is the queue pair that takes management datagrams. [IBTA] 13.5.1
const managementQP = 1

// classCM is the management class of the communication manager. [IBTA] 13.4.4
const classCM = 7

// Attribute is a message of the communication manager. [IBTA] 16.7.1
type Attribute uint16

const (
	ConnectRequest    Attribute = 0x10
	MessageReceived   Attribute = 0x11
	ConnectReject     Attribute = 0x12
	ConnectReply      Attribute = 0x13
	ReadyToUse        Attribute = 0x14
	DisconnectRequest Attribute = 0x15
	DisconnectReply   Attribute = 0x16
)

var attributes = [...]string{"ConnectRequest", "MsgRcptAck", "ConnectReject", "ConnectReply", "ReadyToUse", "DisconnectRequest",
	"DisconnectReply", "ServiceIDResReq", "ServiceIDResReqResp", "LoadAlternatePath", "AlternatePathResponse"}

func (a Attribute) String() string {
	if i := int(a) - int(ConnectRequest); i >= 0 && i < len(attributes) {
		return attributes[i]
	}
	return "(Unknown CM Attribute)"
}

// CM is a message of the communication manager. [IBTA] 12.6
type CM struct {
	Attribute         Attribute
	LocalID, RemoteID uint32 // of the sender's end, and of the other's; REQ has no RemoteID
	QP                uint32 // REQ, REP: the sender's; DREQ: the receiver's
	PSN               uint32 // REQ, REP: of the first packet that the other end shall send
	Responder, Depth  uint8  // REQ, REP: RDMA READs that the sender answers and asks at once
	MTU               uint8  // REQ: 1 is 256 bytes, 5 is 4096
	HasPort           bool   // REQ: the service is a port of IP; Port is valid
	Port              uint16
	SrcPort           uint16     // with HasPort
	Src, Dst          netip.Addr // with HasPort
	Reason            Reason     // REJ
	Private           []byte     // of the consumer; aliases the packet
}

// Reason is why a connection was refused. [IBTA] 12.6.7.2
type Reason uint16

var reasons = [...]string{1: "no queue pair", "no end-to-end context", "no resources", "timeout", "unsupported request",
	"invalid communication ID", "invalid communication instance", "invalid service ID", "invalid transport service type",
	"stale connection", "RDC does not exist", "primary remote port GID rejected", "primary remote port LID rejected",
	"invalid primary service level", "invalid primary traffic class", "invalid primary hop limit",
	"invalid primary packet rate", "alternate remote port GID rejected", "alternate remote port LID rejected",
	"invalid alternate service level", "invalid alternate traffic class", "invalid alternate hop limit",
	"invalid alternate packet rate", "port and communication manager redirection", "port redirection",
	"invalid path MTU", "insufficient responder resources", "consumer reject", "RNR retry count rejected"}

func (r Reason) String() string {
	if int(r) < len(reasons) && reasons[r] != "" {
		return reasons[r]
	}
	return "unknown"
}

var (
	mads        = fields.Section("[IBTA] 13.4.2")
	fMAD        = mads.Struct("infiniband.mad", "MAD Header - Common Management Datagram").AsBytes()
	fMADBase    = mads.Hex("infiniband.mad.baseversion", "Base Version")
	fMADClass   = mads.Hex("infiniband.mad.mgmtclass", "Management Class")
	fMADVersion = mads.Hex("infiniband.mad.classversion", "Class Version")
	fMADMethod  = mads.Enum("infiniband.mad.method", "Method", method).InHex()
	fMADStatus  = mads.Hex("infiniband.mad.status", "Status")
	fMADSpec    = mads.Hex("infiniband.mad.classspecific", "Class Specific")
	fMADTx      = mads.Hex("infiniband.mad.transactionid", "Transaction ID")
	fMADAttr    = mads.Hex("infiniband.mad.attributeid", "Attribute ID")
	fMADMod     = mads.Hex("infiniband.mad.attributemodifier", "Attribute Modifier")
	fMADData    = mads.Bytes("infiniband.mad.data", "MAD Data Payload")
)

func method(v uint64) string {
	switch v {
	case 0x01:
		return "Get()"
	case 0x02:
		return "Set()"
	case 0x03:
		return "Send()"
	case 0x05:
		return "Trap()"
	case 0x06:
		return "Report()"
	case 0x07:
		return "TrapRepress()"
	case 0x12:
		return "GetTable()"
	case 0x13:
		return "GetTraceTable()"
	case 0x14:
		return "GetMulti()"
	case 0x15:
		return "Delete()"
	case 0x81:
		return "GetResp()"
	case 0x86:
		return "ReportResp()"
	case 0x92:
		return "GetTableResp()"
	case 0x94:
		return "GetMultiResp()"
	case 0x95:
		return "DeleteResp()"
	}
	return "Unknown"
}

// management decodes a management datagram. [IBTA] 13.4.2
func (p *Packet) management(c *wire.Cursor) {
	m := c.Open(fMAD)
	c.U8(fMADBase)
	class := c.U8(fMADClass)
	c.U8(fMADVersion)
	c.U8(fMADMethod)
	c.BE16(fMADStatus)
	c.BE16(fMADSpec)
	c.BE64(fMADTx)
	attribute := Attribute(c.BE16(fMADAttr))
	c.Skip(fReserved, 2)
	c.BE32(fMADMod)
	look := *c
	look.Rest(fMADData)
	c.Close(m)
	if class != classCM || c.Failed() {
		c.Pass(fMADData, c.Len())
		return
	}
	p.CM.Attribute = attribute
	switch attribute {
	case ConnectRequest:
		p.CM.request(c)
	case ConnectReply:
		p.CM.reply(c)
	case ReadyToUse:
		p.CM.short(c, fRTU, &rtu)
	case ConnectReject:
		p.CM.reject(c)
	case DisconnectRequest:
		p.CM.short(c, fDREQ, &dreq)
	case DisconnectReply:
		p.CM.short(c, fDREP, &drep)
	default:
		c.Pass(fMADData, c.Len())
	}
}
