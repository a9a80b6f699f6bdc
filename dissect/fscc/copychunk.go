package fscc

import "github.com/odxray/odxray/dissect/wire"

// ResumeKey names a source file of SRV_COPYCHUNK; its inside is the server's.
// [MS-SMB2] 2.2.32.3
type ResumeKey [24]byte

// ResumeKeyReply answers SRV_REQUEST_RESUME_KEY. [MS-SMB2] 2.2.32.3
type ResumeKeyReply struct {
	Key ResumeKey
}

// CopyChunkRequest asks the server to copy ranges of the file that Source names to
// the file that the request is for. [MS-SMB2] 2.2.31.1
type CopyChunkRequest struct {
	Source ResumeKey
	Count  uint32 // as claimed; clients have been seen to send 0
	Chunks Chunks
}

// Chunks is the chunks of a CopyChunkRequest as they lie on the wire.
type Chunks []byte

// Chunk is a range to copy. [MS-SMB2] 2.2.31.1.1
type Chunk struct {
	Source uint64 // bytes
	Target uint64 // bytes; macOS has been seen to send -1
	Length uint32 // bytes
}

const chunkSize = 24

// Len returns how many chunks there are.
func (s Chunks) Len() int { return len(s) / chunkSize }

// At returns chunk i.
func (s Chunks) At(i int) (k Chunk) {
	c := wire.New(s[i*chunkSize:], nil)
	k.decode(&c)
	return k
}

// CopyChunkReply says how far that went. [MS-SMB2] 2.2.32.1
type CopyChunkReply struct {
	Chunks     uint32 // copied whole
	ChunkBytes uint32 // copied of the chunk after them; 0 after success
	TotalBytes uint32
}

// CopyChunkLimits takes the place of a CopyChunkReply where the request was refused
// with STATUS_INVALID_PARAMETER for asking too much. [MS-SMB2] 3.3.5.15.6.2
type CopyChunkLimits struct {
	Chunks     uint32 // most in a request
	ChunkBytes uint32 // most in a chunk
	TotalBytes uint32 // most in a request
}

var (
	resume      = fields.Section("[MS-SMB2] 2.2.32.3")
	fResumeKey  = resume.Bytes("smb2.fsctl.cchunk.resume_key", "ResumeKey").Formatted(func(uint64) string { return "Opaque Data" })
	fContextLen = resume.Bytes("smb2.reserved", "Reserved") // ContextLength, which is 0
	fContext    = resume.Bytes("copy.resume_key.context", "Context")
)

var (
	chunk          = fields.Section("[MS-SMB2] 2.2.31.1")
	fChunkCount    = chunk.Uint("smb2.fsctl.cchunk.count", "Chunk Count")
	fChunkReserved = chunk.Bytes("smb2.reserved", "Reserved")
	fChunk         = chunk.Struct("", "Chunk")
	fChunkSource   = chunk.Uint("smb2.fsctl.cchunk.src_offset", "Source Offset")
	fChunkTarget   = chunk.Uint("smb2.fsctl.cchunk.dst_offset", "Target Offset")
	fChunkLength   = chunk.Uint("smb2.fsctl.cchunk.xfer_len", "Transfer Length")
)

var (
	chunkReply  = fields.Section("[MS-SMB2] 2.2.32.1")
	fChunksDone = chunkReply.Uint("smb2.fsctl.cchunk.chunks_written", "Chunks Written")
	fChunkBytes = chunkReply.Uint("smb2.fsctl.cchunk.bytes_written", "Chunk Bytes Written")
	fTotalBytes = chunkReply.Uint("smb2.fsctl.cchunk.total_written", "Total Bytes Written")

	// Wireshark calls these by the names above.
	chunkLimits    = fields.Section("[MS-SMB2] 3.3.5.15.6.2")
	fMaxChunks     = chunkLimits.Uint("copy.limit.chunks", "Server's limit: chunks in a request")
	fMaxChunkBytes = chunkLimits.Uint("copy.limit.chunk_bytes", "Server's limit: bytes in a chunk")
	fMaxTotalBytes = chunkLimits.Uint("copy.limit.total_bytes", "Server's limit: bytes in a request")
)

func (k *ResumeKey) decode(c *wire.Cursor) {
	*k = ResumeKey{}
	copy(k[:], c.Bytes(fResumeKey, len(k)))
}

func (m *ResumeKeyReply) Decode(c *wire.Cursor) {
	m.Key.decode(c)
	c.Skip(fContextLen, 4)
	// "The ContextLength is set to 0", but servers send bytes of context.
	if c.Len() > 0 {
		c.Skip(fContext, c.Len())
	}
}

func (m *CopyChunkRequest) Decode(c *wire.Cursor) {
	m.Source.decode(c)
	m.Count = c.U32(fChunkCount)
	c.Skip(fChunkReserved, 4)
	list := c.Ahead()
	m.Chunks = list.Bytes(fChunk, chunkSize*min(int(m.Count), list.Len()/chunkSize))
	for range m.Count {
		if c.Len() == 0 {
			c.Fail(fChunk, wire.ErrShort)
			return
		}
		var k Chunk
		k.decode(c)
	}
}

func (k *Chunk) decode(c *wire.Cursor) {
	defer c.Close(c.Open(fChunk))
	k.Source = c.U64(fChunkSource)
	k.Target = c.U64(fChunkTarget)
	k.Length = c.U32(fChunkLength)
	c.Skip(fChunkReserved, 4)
}

func (m *CopyChunkReply) Decode(c *wire.Cursor) {
	m.Chunks = c.U32(fChunksDone)
	m.ChunkBytes = c.U32(fChunkBytes)
	m.TotalBytes = c.U32(fTotalBytes)
}

func (m *CopyChunkLimits) Decode(c *wire.Cursor) {
	m.Chunks = c.U32(fMaxChunks)
	m.ChunkBytes = c.U32(fMaxChunkBytes)
	m.TotalBytes = c.U32(fMaxTotalBytes)
}
