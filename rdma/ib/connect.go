package ib

import (
	"net/netip"

	"github.com/odxray/odxray/dissect/wire"
)

var (
	requests    = fields.Section("[IBTA] 12.6.5")
	fREQ        = requests.Struct("", "CM ConnectRequest")
	fREQLocal   = requests.Hex("infiniband.cm.req", "Local Communication ID")
	fREQService = requests.Hex("infiniband.cm.req.serviceid", "ServiceID")
	fREQIP      = requests.Struct("", "IP CM ServiceID")
	fREQPrefix  = requests.Bytes("infiniband.cm.req.serviceid.prefix", "Prefix")
	fREQProto   = requests.Hex("infiniband.cm.req.serviceid.protocol", "Protocol")
	fREQPort    = requests.Hex("infiniband.cm.req.serviceid.dport", "Destination Port")
	fREQGUID    = requests.Hex("infiniband.cm.req.localcaguid", "Local CA GUID")
	fREQQKey    = requests.Hex("infiniband.cm.req.localqkey", "Local Q_Key")
	fREQQP      = requests.Hex("infiniband.cm.req.localqpn", "Local QPN")
	fREQRespond = requests.Hex("infiniband.cm.req.responderres", "Responder Resources")
	fREQEECN    = requests.Hex("infiniband.cm.req.localeecn", "Local EECN")
	fREQDepth   = requests.Hex("infiniband.cm.req.initdepth", "Initiator Depth")
	fREQREECN   = requests.Hex("infiniband.cm.req.remoteeecn", "Remote EECN")
	fREQByte27  = requests.Hex("", "").Beside(
		requests.Hex("infiniband.cm.req.remoteresptout", "Remote CM Response Timeout").In(0xf8),
		requests.Hex("infiniband.cm.req.transpsvctype", "Transport Service Type").In(0x06),
		requests.Hex("infiniband.cm.req.e2eflowctrl", "End-to-End Flow Control").In(0x01))
	fREQPSN    = requests.Hex("infiniband.cm.req.startpsn", "Starting PSN")
	fREQByte31 = requests.Hex("", "").Beside(
		requests.Hex("infiniband.cm.req.localresptout", "Local CM Response Timeout").In(0xf8),
		requests.Hex("infiniband.cm.req.retrcount", "Retry Count").In(0x07))
	fREQPKey   = requests.Hex("infiniband.cm.req.pkey", "Partition Key")
	fREQByte34 = requests.Hex("", "").Beside(
		requests.Hex("infiniband.cm.req.pppmtu", "Path Packet Payload MTU").In(0xf0),
		requests.Hex("infiniband.cm.req.rdcexist", "RDC Exists").In(0x08),
		requests.Hex("infiniband.cm.req.rnrretrcount", "RNR Retry Count").In(0x07))
	fREQByte35 = requests.Hex("", "").Beside(
		requests.Hex("infiniband.cm.req.maxcmretr", "Max CM Retries").In(0xf0),
		requests.Hex("infiniband.cm.req.srq", "SRQ").In(0x08),
		requests.Hex("infiniband.cm.req.ext_transport", "Extended Transport").In(0x07))
	primary   = pathFields("Primary ", "prim_")
	alternate = pathFields("Alternate ", "alt_")

	fREQPrivate = requests.Bytes("infiniband.cm.req.private", "PrivateData")

	ipcm      = fields.Section("[IBTA] A11.3")
	fIPCM     = ipcm.Struct("infiniband.cm.req.ip_cm", "IP CM Private Data").AsBytes()
	fIPCMVers = ipcm.Hex("", "").Beside(
		ipcm.Hex("infiniband.cm.req.ip_cm.majv", "IP CM Major Version").In(0xf0),
		ipcm.Hex("infiniband.cm.req.ip_cm.minv", "IP CM Minor Version").In(0x0f))
	fIPCMIP = ipcm.Hex("", "").Beside(
		ipcm.Hex("infiniband.cm.req.ip_cm.ipv", "IP CM IP Version").In(0xf0),
		ipcm.Hex("infiniband.cm.req.ip_cm.reserved", "IP CM Reserved").In(0x0f))
	fIPCMPort    = ipcm.Hex("infiniband.cm.req.ip_cm.sport", "IP CM Source Port")
	fIPCMSrc4    = ipcm.Address("infiniband.cm.req.ip_cm.sip4", "IP CM Source IP")
	fIPCMDst4    = ipcm.Address("infiniband.cm.req.ip_cm.dip4", "IP CM Destination IP")
	fIPCMSrc6    = ipcm.Address("infiniband.cm.req.ip_cm.sip6", "IP CM Source IP")
	fIPCMDst6    = ipcm.Address("infiniband.cm.req.ip_cm.dip6", "IP CM Destination IP")
	fIPCMPrivate = ipcm.Bytes("infiniband.cm.req.ip_cm.private", "IP CM Consumer PrivateData")
)

// path is the fields of one of the two ways that a request offers.
type path struct {
	localLID, remoteLID, local4, remote4, local, remote, flow, class, hops, sl, timeout *wire.Field
}

func pathFields(label, name string) path {
	name = "infiniband.cm.req." + name
	gid := func(n, l string) *wire.Field {
		if label == "Alternate " {
			return requests.Bytes(name+n, label+l)
		}
		return requests.Address(name+n, label+l)
	}
	return path{
		requests.Uint(name+"locallid", label+"Local Port LID"),
		requests.Uint(name+"remotelid", label+"Remote Port LID"),
		requests.Address("infiniband.cm.req.prim_localgid_ipv4", label+"Local Port GID"),
		requests.Address("infiniband.cm.req.prim_remotegid_ipv4", label+"Remote Port GID"),
		gid("localgid", "Local Port GID"),
		gid("remotegid", "Remote Port GID"),
		requests.Hex("", "").Beside(
			requests.Hex(name+"flowlabel", label+"Flow Label").In(0xfffff000),
			requests.Hex(name+"reserved0", "Reserved").In(0x00000fc0),
			requests.Hex(name+"pktrate", label+"Packet Rate").In(0x0000003f)),
		requests.Hex(name+"tfcclass", label+"Traffic Class"),
		requests.Hex(name+"hoplim", label+"Hop Limit"),
		requests.Hex("", "").Beside(
			requests.Hex(name+"sl", label+"SL").In(0xf0),
			requests.Hex(name+"subnetlocal", label+"Subnet Local").In(0x08),
			requests.Hex(name+"reserved1", "Reserved").In(0x07)),
		requests.Hex("", "").Beside(
			requests.Hex(name+"localacktout", label+"Local ACK Timeout").In(0xf8),
			requests.Hex(name+"reserved2", "Reserved").In(0x07)),
	}
}

func (f *path) decode(c *wire.Cursor, four bool) {
	c.BE16(f.localLID)
	c.BE16(f.remoteLID)
	gid(c, f.local4, f.local, four)
	gid(c, f.remote4, f.remote, four)
	c.BE32(f.flow)
	c.U8(f.class)
	c.U8(f.hops)
	c.U8(f.sl)
	c.U8(f.timeout)
}

// gid reads 16 bytes, which are an IPv4 address behind 12 others if there is a field for
// that.
func gid(c *wire.Cursor, four, six *wire.Field, isFour bool) netip.Addr {
	if !isFour {
		a, _ := netip.AddrFromSlice(c.Bytes(six, 16))
		return a
	}
	c.Pass(four, 12)
	a, _ := netip.AddrFromSlice(c.Bytes(four, 4))
	return a
}

// mapped reports whether b begins as an IPv4 address in the form of IPv6. RFC 4291 2.5.5.2
func mapped(b []byte) bool {
	for i, v := range b[:12] {
		if v != 0 && i < 10 || i >= 10 && v != 0xff {
			return false
		}
	}
	return true
}

// isIP reports whether a service ID is a TCP port. [IBTA] A11.2
func isIP(b []byte) bool { return b != nil && b[0]|b[1]|b[2]|b[3] == 0 && b[4] == 1 }

// request decodes a REQ.
func (m *CM) request(c *wire.Cursor) {
	defer c.Close(c.Open(fREQ))
	m.LocalID = c.BE32(fREQLocal)
	c.Skip(fReserved, 4)
	if m.HasPort = isIP(c.Peek(8)); m.HasPort {
		s := c.Open(fREQIP)
		c.Skip(fREQPrefix, 5)
		c.U8(fREQProto)
		m.Port = c.BE16(fREQPort)
		c.Close(s)
	} else {
		c.BE64(fREQService)
	}
	c.BE64(fREQGUID)
	c.Skip(fReserved, 4)
	c.BE32(fREQQKey)
	m.QP = c.BE24(fREQQP)
	m.Responder = c.U8(fREQRespond)
	c.BE24(fREQEECN)
	m.Depth = c.U8(fREQDepth)
	c.BE24(fREQREECN)
	c.U8(fREQByte27)
	m.PSN = c.BE24(fREQPSN)
	c.U8(fREQByte31)
	c.BE16(fREQPKey)
	m.MTU = c.U8(fREQByte34) >> 4
	c.U8(fREQByte35)
	four := false
	if look := c.Peek(4 + 16); look != nil {
		four = mapped(look[4:])
	}
	primary.decode(c, four)
	alternate.decode(c, false)
	if !m.HasPort {
		m.Private = c.Bytes(fREQPrivate, 92)
		return
	}
	defer c.Close(c.Open(fIPCM))
	c.U8(fIPCMVers)
	version := c.U8(fIPCMIP) >> 4
	m.SrcPort = c.BE16(fIPCMPort)
	m.Src = gid(c, fIPCMSrc4, fIPCMSrc6, version == 4)
	m.Dst = gid(c, fIPCMDst4, fIPCMDst6, version == 4)
	m.Private = c.Bytes(fIPCMPrivate, 56)
}

var (
	replies    = fields.Section("[IBTA] 12.6.8")
	fREP       = replies.Struct("", "CM ConnectReply")
	fREPLocal  = replies.Hex("infiniband.cm.rep", "Local Communication ID")
	fREPRemote = replies.Hex("infiniband.cm.rep.remotecommid", "Remote Communication ID")
	fREPQKey   = replies.Hex("infiniband.cm.rep.localqkey", "Local Q_Key")
	fREPQP     = replies.Hex("infiniband.cm.rep.localqpn", "Local QPN")
	fREPEECN   = replies.Hex("infiniband.cm.rep.localeecn", "Local EE Context Number")
	fREPPSN    = replies.Hex("infiniband.cm.rep.startpsn", "Starting PSN")
	fREPRes    = replies.Hex("infiniband.cm.rep.respres", "Responder Resources")
	fREPDepth  = replies.Hex("infiniband.cm.rep.initdepth", "Initiator Depth")
	fREPByte26 = replies.Hex("", "").Beside(
		replies.Hex("infiniband.cm.rep.tgtackdelay", "Target ACK Delay").In(0xf8),
		replies.Hex("infiniband.cm.rep.failoveracc", "Failover Accepted").In(0x06),
		replies.Hex("infiniband.cm.rep.e2eflowctrl", "End-To-End Flow Control").In(0x01))
	fREPByte27 = replies.Hex("", "").Beside(
		replies.Hex("infiniband.cm.rep.rnrretrcount", "RNR Retry Count").In(0xe0),
		replies.Hex("infiniband.cm.rep.srq", "SRQ").In(0x10),
		replies.Hex("infiniband.cm.rep.reserved", "Reserved").In(0x0f))
	fREPGUID    = replies.Hex("infiniband.cm.rep.localcaguid", "Local CA GUID")
	fREPPrivate = replies.Bytes("infiniband.cm.rep.private", "PrivateData")
)

// reply decodes a REP.
func (m *CM) reply(c *wire.Cursor) {
	defer c.Close(c.Open(fREP))
	m.LocalID = c.BE32(fREPLocal)
	m.RemoteID = c.BE32(fREPRemote)
	c.BE32(fREPQKey)
	m.QP = c.BE24(fREPQP)
	c.Skip(fReserved, 1)
	c.BE24(fREPEECN)
	c.Skip(fReserved, 1)
	m.PSN = c.BE24(fREPPSN)
	c.Skip(fReserved, 1)
	m.Responder = c.U8(fREPRes)
	m.Depth = c.U8(fREPDepth)
	c.U8(fREPByte26)
	c.U8(fREPByte27)
	c.BE64(fREPGUID)
	m.Private = c.Bytes(fREPPrivate, 196)
}

var (
	rejects    = fields.Section("[IBTA] 12.6.7")
	fREJ       = rejects.Struct("", "CM ConnectReject")
	fREJLocal  = rejects.Hex("infiniband.cm.rej.localcommid", "Local Communication ID")
	fREJRemote = rejects.Hex("infiniband.cm.rej.remotecommid", "Remote Communication ID")
	fREJByte8  = rejects.Hex("", "").Beside(
		rejects.Hex("infiniband.cm.rej.msgrej", "Message REJected").In(0xc0),
		rejects.Hex("infiniband.cm.rej.reserved0", "Reserved").In(0x3f))
	fREJByte9 = rejects.Hex("", "").Beside(
		rejects.Hex("infiniband.cm.rej.rejinfolen", "Reject Info Length").In(0xfe),
		rejects.Hex("infiniband.cm.rej.reserved1", "Reserved").In(0x01))
	fREJReason  = rejects.Hex("infiniband.cm.rej.reason", "Reason")
	fREJARI     = rejects.Bytes("infiniband.cm.rej.ari", "Additional Reject Information (ARI)")
	fREJPrivate = rejects.Bytes("infiniband.cm.rej.private", "PrivateData")
)

// reject decodes a REJ.
func (m *CM) reject(c *wire.Cursor) {
	defer c.Close(c.Open(fREJ))
	m.LocalID = c.BE32(fREJLocal)
	m.RemoteID = c.BE32(fREJRemote)
	c.U8(fREJByte8)
	c.U8(fREJByte9)
	m.Reason = Reason(c.BE16(fREJReason))
	c.Skip(fREJARI, 72)
	m.Private = c.Bytes(fREJPrivate, 148)
}

// end is the fields of a message that has little but the two ends.
type end struct {
	local, remote, qp, private *wire.Field
}

var (
	readies = fields.Section("[IBTA] 12.6.9")
	fRTU    = readies.Struct("", "CM ReadyToUse")
	rtu     = end{
		local:   readies.Hex("infiniband.cm.rtu.localcommid", "Local Communication ID"),
		remote:  readies.Hex("infiniband.cm.rtu.remotecommid", "Remote Communication ID"),
		private: readies.Bytes("infiniband.cm.rtu.private", "PrivateData"),
	}
	disconnects = fields.Section("[IBTA] 12.6.10")
	fDREQ       = disconnects.Struct("", "CM DisconnectRequest")
	dreq        = end{
		local:   disconnects.Hex("infiniband.cm.dreq.localcommid", "Local Communication ID"),
		remote:  disconnects.Hex("infiniband.cm.dreq.remotecommid", "Remote Communication ID"),
		qp:      disconnects.Hex("infiniband.cm.req.remoteqpneecn", "Remote QPN/EECN"),
		private: disconnects.Bytes("infiniband.cm.dreq.private", "PrivateData"),
	}
	fDREP = disconnects.Struct("", "CM DisconnectReply")
	drep  = end{
		local:   disconnects.Hex("infiniband.cm.drsp.localcommid", "Local Communication ID"),
		remote:  disconnects.Hex("infiniband.cm.drsp.remotecommid", "Remote Communication ID"),
		private: disconnects.Bytes("infiniband.cm.drsp.private", "PrivateData"),
	}
)

// short decodes an RTU, DREQ or DREP. [IBTA] 12.6.9 to 12.6.11
func (m *CM) short(c *wire.Cursor, title *wire.Field, f *end) {
	defer c.Close(c.Open(title))
	m.LocalID = c.BE32(f.local)
	m.RemoteID = c.BE32(f.remote)
	if f.qp != nil {
		m.QP = c.BE24(f.qp)
		c.Skip(fReserved, 1)
	}
	m.Private = c.Bytes(f.private, c.Len())
}
