package fscc

import "github.com/odxray/odxray/dissect/wire"

// PipeWaitRequest waits until an instance of a pipe is free. [MS-FSCC] 2.3.49
type PipeWaitRequest struct {
	Timeout   int64 // in 100 ns; valid iff Specified, else it is the pipe's own
	Specified bool
	Name      wire.UTF16 // without \pipe\; aliases the message
}

// PipePeekReply tells what a pipe holds, and leaves it there. [MS-FSCC] 2.3.46
type PipePeekReply struct {
	State     PipeState
	Available uint32 // bytes to read
	Messages  uint32 // how many; of a message pipe
	Length    uint32 // bytes of the first of them
	Data      []byte // the first bytes; aliases the message
}

// PipeState is what a pipe's instance is doing.
type PipeState uint32

func (s PipeState) String() string {
	if s >= 1 && int(s) <= len(pipeStates) {
		return pipeStates[s-1]
	}
	return "Unknown"
}

var pipeStates = [...]string{"FILE_PIPE_DISCONNECTED_STATE", "FILE_PIPE_LISTENING_STATE", "FILE_PIPE_CONNECTED_STATE", "FILE_PIPE_CLOSING_STATE"}

var (
	pipeWait       = fields.Section("[MS-FSCC] 2.3.49")
	fWaitTimeout   = pipeWait.Int("smb2.fsctl.wait.timeout", "Timeout")
	fWaitNameLen   = pipeWait.Uint("", "Name Length")
	fWaitSpecified = pipeWait.Flag(0xff, "", "Timeout Specified", "False", "True")
	fWaitByte      = pipeWait.Hex("", "").Beside(fWaitSpecified)
	fWaitPadding   = pipeWait.Bytes("smb2.reserved", "Reserved")
	fWaitName      = pipeWait.String("smb2.fsctl.wait.name", "Name")

	pipePeek       = fields.Section("[MS-FSCC] 2.3.46")
	fPeekState     = pipePeek.Enum("", "Named Pipe State", wire.Text[PipeState])
	fPeekAvailable = pipePeek.Uint("", "Read Data Available")
	fPeekMessages  = pipePeek.Uint("", "Number Of Messages")
	fPeekLength    = pipePeek.Uint("", "Message Length")
	fPeekData      = pipePeek.Bytes("", "Data")
)

func (m *PipeWaitRequest) Decode(c *wire.Cursor) {
	m.Timeout = int64(c.U64(fWaitTimeout))
	n := c.U32(fWaitNameLen)
	m.Specified = c.U8(fWaitByte) != 0
	c.Skip(fWaitPadding, 1)
	m.Name = c.UTF16(fWaitName, int(n))
}

func (m *PipePeekReply) Decode(c *wire.Cursor) {
	m.State = PipeState(c.U32(fPeekState))
	m.Available = c.U32(fPeekAvailable)
	m.Messages = c.U32(fPeekMessages)
	m.Length = c.U32(fPeekLength)
	m.Data = c.Bytes(fPeekData, c.Len())
}
