package fscc

import "github.com/odxray/odxray/dissect/wire"

// PipeInfo is FilePipeInformation. [MS-FSCC] 2.4.37
type PipeInfo struct {
	ReadMode       uint32 // 0: byte stream, 1: messages
	CompletionMode uint32 // 0: wait, 1: do not
}

// PipeLocalInfo is FilePipeLocalInformation. [MS-FSCC] 2.4.38
type PipeLocalInfo struct {
	Type                uint32 // 0: byte stream, 1: messages
	Configuration       uint32 // 0: inbound, 1: outbound, 2: both
	MaxInstances        uint32
	Instances           uint32
	InboundQuota        uint32 // bytes, as all below
	ReadDataAvailable   uint32
	OutboundQuota       uint32
	WriteQuotaAvailable uint32
	State               uint32 // 1: disconnected, 2: listening, 3: connected, 4: closing
	End                 uint32 // 0: client, 1: server
}

// PipeRemoteInfo is FilePipeRemoteInformation. [MS-FSCC] 2.4.39
type PipeRemoteInfo struct {
	CollectTime uint64 // most that the client waits before it sends, in units of 100 ns
	MaxCollect  uint32 // bytes
}

// MailslotInfo is FileMailslotQueryInformation or FileMailslotSetInformation, which
// has only the last field. [MS-FSCC] 2.4.29, 2.4.30
type MailslotInfo struct {
	MaxMessage  uint32 // bytes
	Quota       uint32 // bytes
	NextMessage uint32 // bytes
	Messages    uint32
	ReadTimeout int64 // milliseconds
}

var (
	pipes           = fields.Section("[MS-FSCC] 2.4.37")
	fPipeInfo       = pipes.Struct("smb2.file_pipe_info", "SMB2_FILE_PIPE_INFO")
	fReadMode       = pipes.Enum("odx.info.pipe.read_mode", "Read Mode", either("Byte stream", "Message"))
	fCompletion     = pipes.Enum("odx.info.pipe.completion_mode", "Completion Mode", either("Queue", "Complete"))
	pipesLocal      = fields.Section("[MS-FSCC] 2.4.38")
	fPipeLocalInfo  = pipesLocal.Struct("", "SMB2_FILE_PIPE_LOCAL_INFO")
	fPipeType       = pipesLocal.Enum("odx.info.pipe.type", "Pipe Type", either("Byte stream", "Message"))
	fPipeConfig     = pipesLocal.Enum("odx.info.pipe.configuration", "Configuration", either("Inbound", "Outbound", "Full duplex"))
	fMaxInstances   = pipesLocal.Uint("odx.info.pipe.max_instances", "Maximum Instances")
	fInstances      = pipesLocal.Uint("odx.info.pipe.instances", "Current Instances")
	fInQuota        = pipesLocal.Uint("odx.info.pipe.inbound_quota", "Inbound Quota")
	fReadAvailable  = pipesLocal.Uint("odx.info.pipe.read_available", "Read Data Available")
	fOutQuota       = pipesLocal.Uint("odx.info.pipe.outbound_quota", "Outbound Quota")
	fWriteAvailable = pipesLocal.Uint("odx.info.pipe.write_available", "Write Quota Available")
	fPipeState      = pipesLocal.Enum("odx.info.pipe.state", "State", either("Unknown", "Disconnected", "Listening", "Connected", "Closing"))
	fPipeEnd        = pipesLocal.Enum("odx.info.pipe.end", "End", either("Client", "Server"))
	pipesRemote     = fields.Section("[MS-FSCC] 2.4.39")
	fPipeRemoteInfo = pipesRemote.Struct("", "SMB2_FILE_PIPE_REMOTE_INFO")
	fCollectTime    = pipesRemote.Uint("odx.info.pipe.collect_time", "Collect Data Time in 100 ns")
	fMaxCollect     = pipesRemote.Uint("odx.info.pipe.max_collect", "Maximum Collection Count")
	mailslots       = fields.Section("[MS-FSCC] 2.4.29, 2.4.30")
	fMailslotQuery  = mailslots.Struct("", "SMB2_FILE_MAILSLOT_QUERY_INFO")
	fMailslotSet    = mailslots.Struct("", "SMB2_FILE_MAILSLOT_SET_INFO")
	fMaxMessage     = mailslots.Uint("odx.info.mailslot.max_message", "Maximum Message Size")
	fMailslotQuota  = mailslots.Uint("odx.info.mailslot.quota", "Mailslot Quota")
	fNextMessage    = mailslots.Uint("odx.info.mailslot.next_message", "Next Message Size")
	fMessages       = mailslots.Uint("odx.info.mailslot.messages", "Messages Available")
	fReadTimeout    = mailslots.Int("odx.info.mailslot.read_timeout", "Read Timeout")
)

func (m *PipeInfo) Decode(c *wire.Cursor) {
	defer c.Close(c.Open(fPipeInfo))
	m.ReadMode = c.U32(fReadMode)
	m.CompletionMode = c.U32(fCompletion)
}

func (m *PipeLocalInfo) Decode(c *wire.Cursor) {
	defer c.Close(c.Open(fPipeLocalInfo))
	m.Type = c.U32(fPipeType)
	m.Configuration = c.U32(fPipeConfig)
	m.MaxInstances = c.U32(fMaxInstances)
	m.Instances = c.U32(fInstances)
	m.InboundQuota = c.U32(fInQuota)
	m.ReadDataAvailable = c.U32(fReadAvailable)
	m.OutboundQuota = c.U32(fOutQuota)
	m.WriteQuotaAvailable = c.U32(fWriteAvailable)
	m.State = c.U32(fPipeState)
	m.End = c.U32(fPipeEnd)
}

func (m *PipeRemoteInfo) Decode(c *wire.Cursor) {
	defer c.Close(c.Open(fPipeRemoteInfo))
	m.CollectTime = c.U64(fCollectTime)
	m.MaxCollect = c.U32(fMaxCollect)
}

func (m *MailslotInfo) Decode(c *wire.Cursor) {
	defer c.Close(c.Open(fMailslotQuery))
	m.MaxMessage = c.U32(fMaxMessage)
	m.Quota = c.U32(fMailslotQuota)
	m.NextMessage = c.U32(fNextMessage)
	m.Messages = c.U32(fMessages)
	m.ReadTimeout = int64(c.U64(fReadTimeout))
}

func (m *MailslotInfo) decodeSet(c *wire.Cursor) {
	*m = MailslotInfo{}
	defer c.Close(c.Open(fMailslotSet))
	m.ReadTimeout = int64(c.U64(fReadTimeout))
}
