package smb2

import "github.com/odxray/odxray/dissect/wire"

// LockFlags say what becomes of a range. [MS-SMB2] 2.2.26.1
type LockFlags uint32

const (
	LockShared          LockFlags = 0x01
	LockExclusive       LockFlags = 0x02
	LockUnlock          LockFlags = 0x04
	LockFailImmediately LockFlags = 0x10
)

// LockElement is a range to lock or to unlock. [MS-SMB2] 2.2.26.1
type LockElement struct {
	Offset uint64 // bytes
	Length uint64 // bytes
	Flags  LockFlags
}

// LockRequest locks or unlocks ranges of a file. [MS-SMB2] 2.2.26
type LockRequest struct {
	Count    uint16 // of ranges, as claimed
	Sequence uint32 // LockSequenceNumber in the low 4 bits, LockSequenceIndex above
	File     FileID
	First    LockElement // most requests have one
	Locks    LockList    // all that there are; aliases the message
}

// LockResponse grants it. [MS-SMB2] 2.2.27
type LockResponse struct{}

func (*LockRequest) body()  {}
func (*LockResponse) body() {}

var (
	locking    = fields.Section("[MS-SMB2] 2.2.26")
	fLockCount = locking.Uint("smb2.lock_count", "Lock Count")
	fLockSeq   = locking.Hex("", "Lock Sequence").Split(
		locking.Uint("", "LockSequenceNumber").In(0x0000000f),
		locking.Uint("", "LockSequenceIndex").In(0xfffffff0))
	fLock       = locking.Struct("smb2.lock_info", "Lock Info")
	fLockOffset = locking.Uint("smb2.file_offset", "File Offset")
	fLockLength = locking.Uint("smb2.lock_length", "Length")
	fLockFlags  = locking.Hex("smb2.lock_flags", "Flags").List(
		locking.Flag(0x01, "smb2.lock_flags.shared", "Shared", "False", "True"),
		locking.Flag(0x02, "smb2.lock_flags.exclusive", "Exclusive", "False", "True"),
		locking.Flag(0x04, "smb2.lock_flags.unlock", "Unlock", "False", "True"),
		locking.Flag(0x10, "smb2.lock_flags.fail_immediately", "Fail Immediately", "False", "True"))
)

func (m *LockRequest) decode(c *wire.Cursor, d *Decoder) {
	*m = LockRequest{}
	size(c, 48)
	m.Count = c.U16(fLockCount)
	m.Sequence = c.U32(fLockSeq)
	m.File.decode(c, d.ctx)
	m.Locks = c.Peek(min(lockSize*int(m.Count), c.Len()/lockSize*lockSize))
	for i := range m.Count {
		var e LockElement
		e.decode(c)
		if i == 0 {
			m.First = e
		}
		if c.Failed() {
			break
		}
	}
}

func (e *LockElement) decode(c *wire.Cursor) {
	defer c.Close(c.Open(fLock))
	e.Offset = c.U64(fLockOffset)
	e.Length = c.U64(fLockLength)
	e.Flags = LockFlags(c.U32(fLockFlags))
	c.Skip(fReserved, 4)
}

func (*LockResponse) decode(c *wire.Cursor, d *Decoder) { empty(c, fUnknownBody) }
