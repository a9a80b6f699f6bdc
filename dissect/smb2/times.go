package smb2

import "github.com/odxray/odxray/dissect/wire"

// Times are the times of a file in CREATE and CLOSE responses, in units of 100 ns
// since 1601-01-01 UTC; 0 is none. [MS-SMB2] 2.2.14, 2.2.16
type Times struct {
	Creation   uint64
	LastAccess uint64
	LastWrite  uint64
	Change     uint64
}

var (
	state       = fields.Section("[MS-SMB2] 2.2.14, 2.2.16")
	fCreation   = state.Time("smb2.create.time", "Create")
	fLastAccess = state.Time("smb2.last_access.time", "Last Access")
	fLastWrite  = state.Time("smb2.last_write.time", "Last Write")
	fChange     = state.Time("smb2.last_change.time", "Last Change")
	fAllocation = state.Uint("smb2.allocation_size", "Allocation Size")
	fEndOfFile  = state.Uint("smb2.eof", "End Of File")
)

func (t *Times) decode(c *wire.Cursor) {
	t.Creation = c.U64(fCreation)
	t.LastAccess = c.U64(fLastAccess)
	t.LastWrite = c.U64(fLastWrite)
	t.Change = c.U64(fChange)
}
