package fscc

import "github.com/odxray/odxray/dissect/wire"

// SparseRequest makes a file sparse, or not. An empty buffer means Sparse too.
// [MS-FSCC] 2.3.83
type SparseRequest struct{ Sparse bool }

var (
	sparse      = fields.Section("[MS-FSCC] 2.3.83")
	fSparse     = sparse.Flag(0xff, "smb2.fsctl.set_sparse", "SetSparse", "False", "True")
	fSparseByte = sparse.Hex("", "").Beside(fSparse)
)

func (m *SparseRequest) Decode(c *wire.Cursor) { m.Sparse = c.U8(fSparseByte) != 0 }
