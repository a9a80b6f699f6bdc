package fscc

import (
	"cmp"
	"maps"

	"github.com/odxray/odxray/dissect/wire"
)

// ReparseTag says whose a reparse point is. [MS-FSCC] 2.1.2.1
type ReparseTag uint32

const (
	ReparseMountPoint ReparseTag = 0xa0000003
	ReparseSymlink    ReparseTag = 0xa000000c
	ReparseNFS        ReparseTag = 0x80000014
	ReparseLxSymlink  ReparseTag = 0xa000001d // Windows Subsystem for Linux
)

var reparseTags = map[ReparseTag]string{
	0x00000000:        "REPARSE_TAG_RESERVED_ZERO",
	0x00000001:        "REPARSE_TAG_RESERVED_ONE",
	ReparseMountPoint: "REPARSE_TAG_MOUNT_POINT",
	0xc0000004:        "REPARSE_TAG_HSM",
	0x80000005:        "REPARSE_TAG_DRIVER_EXTENDER",
	0x80000006:        "REPARSE_TAG_HSM2",
	0x80000007:        "REPARSE_TAG_SIS",
	0x80000008:        "REPARSE_TAG_WIM",
	0x80000009:        "REPARSE_TAG_CSV",
	0x8000000a:        "REPARSE_TAG_DFS",
	0x8000000b:        "REPARSE_TAG_FILTER_MANAGER",
	ReparseSymlink:    "REPARSE_TAG_SYMLINK",
	0xa0000010:        "REPARSE_TAG_IIS_CACHE",
	0x80000012:        "REPARSE_TAG_DFSR",
	0x80000013:        "REPARSE_TAG_DEDUP",
	0xc0000014:        "REPARSE_TAG_APPXSTRM",
	ReparseNFS:        "REPARSE_TAG_NFS",
	0x80000015:        "REPARSE_TAG_FILE_PLACEHOLDER",
	0x80000016:        "REPARSE_TAG_DFM",
	0x80000017:        "REPARSE_TAG_WOF",
	0x80000018:        "REPARSE_TAG_WCI",
	0xa0000019:        "REPARSE_TAG_GLOBAL_REPARSE",
	0x9000001a:        "REPARSE_TAG_CLOUD",
	0x8000001b:        "REPARSE_TAG_APPEXECLINK",
	0x9000001c:        "REPARSE_TAG_PROJFS",
	ReparseLxSymlink:  "REPARSE_TAG_LX_SYMLINK",
	0x8000001e:        "REPARSE_TAG_STORAGE_SYNC",
	0xa000001f:        "REPARSE_TAG_WCI_TOMBSTONE",
	0x80000020:        "REPARSE_TAG_UNHANDLED",
	0x80000021:        "REPARSE_TAG_ONEDRIVE",
	0xa0000022:        "REPARSE_TAG_PROJFS_TOMBSTONE",
	0x80000023:        "REPARSE_TAG_AF_UNIX",
	0x80000024:        "REPARSE_TAG_LX_FIFO",
	0x80000025:        "REPARSE_TAG_LX_CHR",
	0x80000026:        "REPARSE_TAG_LX_BLK",
}

func (t ReparseTag) String() string { return cmp.Or(reparseTags[t], "Unknown") }

// Microsoft reports whether the tag is Microsoft's own. Those of others come with
// a GUID.
func (t ReparseTag) Microsoft() bool { return t&0x80000000 != 0 }

// ReparsePoint is the request of SET_REPARSE_POINT and DELETE_REPARSE_POINT and the
// reply of GET_REPARSE_POINT. [MS-FSCC] 2.1.2.2, 2.1.2.3
type ReparsePoint struct {
	Tag    ReparseTag
	Vendor wire.GUID // valid iff the tag is not Microsoft's
	Link   Symlink   // valid iff the tag is ReparseSymlink or ReparseMountPoint
	NFS    NFSPoint  // valid iff the tag is ReparseNFS
	Target []byte    // UTF-8; valid iff the tag is ReparseLxSymlink
	Data   []byte    // all after the header; aliases the message
}

// Symlink is where a symbolic link or a mount point leads. A mount point has no
// Flags. [MS-FSCC] 2.1.2.4, 2.1.2.5
type Symlink struct {
	Substitute wire.UTF16 // for the file system; aliases the message
	Print      wire.UTF16 // for people; aliases the message
	Flags      uint32     // SymlinkRelative
}

// SymlinkRelative is the flag of a link that leads on from the folder it is in.
const SymlinkRelative = 1

// NFSPoint is a file that only NFS knows. [MS-FSCC] 2.1.2.6
type NFSPoint struct {
	Type         NFSType
	Target       wire.UTF16 // valid iff Type is NFSLink
	Major, Minor uint32     // valid iff Type is NFSChar or NFSBlock
}

// NFSType is what kind of file it is: up to eight ASCII characters.
type NFSType uint64

const (
	NFSLink   NFSType = 0x00000000014b4e4c
	NFSChar   NFSType = 0x0000000000524843
	NFSBlock  NFSType = 0x00000000004b4c42
	NFSFIFO   NFSType = 0x000000004f464946
	NFSSocket NFSType = 0x000000004b434f53
)

func (t NFSType) String() string {
	switch t {
	case NFSLink:
		return "Symbolic Link"
	case NFSChar:
		return "Character Device"
	case NFSBlock:
		return "Block Device"
	case NFSFIFO:
		return "FIFO"
	case NFSSocket:
		return "UNIX Socket"
	}
	return "Unknown"
}

var (
	reparse         = fields.Section("[MS-FSCC] 2.1.2.2")
	fReparse        = reparse.Struct("smb2.reparse_data_buffer", "Reparse Data Buffer")
	fTag            = reparse.Enum("smb2.reparse_tag", "Reparse Tag", wire.Text[ReparseTag]).InHex().Among(wire.Numbers(maps.Keys(reparseTags)))
	fReparseLength  = reparse.Uint("smb2.reparse_data_length", "Reparse Data Length")
	fReparseZero    = reparse.Bytes("smb2.reserved", "Reserved")
	fReparseVendor  = fields.Section("[MS-FSCC] 2.1.2.3").GUID("smb2.reparse_guid", "Reparse GUID")
	fReparseUnknown = reparse.Bytes("smb2.unknown", "Unknown")

	symlink        = fields.Section("[MS-FSCC] 2.1.2.4")
	fSubstituteOff = symlink.Uint("", "Substitute Name Offset")
	fSubstituteLen = symlink.Uint("", "Substitute Name Length")
	fPrintOff      = symlink.Uint("", "Print Name Offset")
	fPrintLen      = symlink.Uint("", "Print Name Length")
	fLinkFlags     = symlink.Uint("smb2.symlink.flags", "Flags")
	fSubstitute    = symlink.String("smb2.symlink.substitute_name", "Substitute Name")
	fPrint         = symlink.String("smb2.symlink.print_name", "Print Name")
	fPathBuffer    = symlink.Bytes("", "Path Buffer")

	nfs        = fields.Section("[MS-FSCC] 2.1.2.6")
	fNFSType   = nfs.Enum("smb2.nfs.type", "NFS file type", wire.Text[NFSType]).InHex()
	fNFSTarget = nfs.String("smb2.nfs.symlink.target", "Symlink Target")
	fCharMajor = nfs.Hex("smb2.nfs.char.major", "Major")
	fCharMinor = nfs.Hex("smb2.nfs.char.minor", "Minor")
	fBlkMajor  = nfs.Hex("smb2.nfs.block.major", "Major")
	fBlkMinor  = nfs.Hex("smb2.nfs.block.minor", "Minor")

	lx        = fields.Section("[MS-FSCC] 2.1.2.7")
	fLxLayout = lx.Uint("", "Layout")
	fLxTarget = lx.ASCII("", "Target")
)

func (m *ReparsePoint) Decode(c *wire.Cursor) {
	defer c.Close(c.Open(fReparse))
	*m = ReparsePoint{Tag: ReparseTag(c.U32(fTag))}
	n := c.U16(fReparseLength)
	c.Skip(fReparseZero, 2)
	if !m.Tag.Microsoft() && m.Tag > 1 {
		m.Vendor = c.GUID(fReparseVendor)
	}
	data := c.Sub(fReparse, int(n))
	defer c.Join(&data)
	all := data.Ahead()
	m.Data = all.Bytes(fReparse, int(n))
	switch {
	case n == 0:
	case m.Tag == ReparseSymlink:
		m.Link.Decode(&data)
	case m.Tag == ReparseMountPoint:
		m.Link.decode(&data, false)
	case m.Tag == ReparseNFS:
		m.NFS.decode(&data)
	case m.Tag == ReparseLxSymlink:
		data.U32(fLxLayout)
		m.Target = data.Bytes(fLxTarget, data.Len())
	default:
		data.Skip(fReparseUnknown, data.Len())
	}
}

// Decode reads a symbolic link's data, without the header of a reparse point.
func (m *Symlink) Decode(c *wire.Cursor) { m.decode(c, true) }

func (m *Symlink) decode(c *wire.Cursor, flags bool) {
	*m = Symlink{}
	subOff, subLen := c.U16(fSubstituteOff), c.U16(fSubstituteLen)
	printOff, printLen := c.U16(fPrintOff), c.U16(fPrintLen)
	if flags {
		m.Flags = c.U32(fLinkFlags)
	}
	n := c.Len()
	look := *c
	path := look.Sub(fPathBuffer, n)
	m.Substitute = name(&path, fSubstitute, subOff, subLen)
	m.Print = name(&path, fPrint, printOff, printLen)
	c.Skip(fPathBuffer, n)
	c.Join(&path)
}

// name reads the n bytes at off of a path buffer.
func name(path *wire.Cursor, f *wire.Field, off, n uint16) wire.UTF16 {
	s := path.At(f, uint32(off), uint32(n))
	u := s.UTF16(f, int(n))
	path.Join(&s)
	return u
}

func (m *NFSPoint) decode(c *wire.Cursor) {
	m.Type = NFSType(c.U64(fNFSType))
	switch m.Type {
	case NFSLink:
		m.Target = c.UTF16(fNFSTarget, c.Len())
	case NFSChar:
		m.Major, m.Minor = c.U32(fCharMajor), c.U32(fCharMinor)
	case NFSBlock:
		m.Major, m.Minor = c.U32(fBlkMajor), c.U32(fBlkMinor)
	}
}
