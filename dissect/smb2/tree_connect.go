package smb2

import (
	"cmp"

	"github.com/odxray/odxray/dissect/dtyp"
	"github.com/odxray/odxray/dissect/wire"
)

// ShareType is the kind of a share. [MS-SMB2] 2.2.10
type ShareType uint8

const (
	ShareDisk    ShareType = 1
	SharePipe    ShareType = 2
	SharePrinter ShareType = 3
)

var shareTypes = map[ShareType]string{ShareDisk: "Physical disk", SharePipe: "Named pipe", SharePrinter: "Printer"}

func (t ShareType) String() string { return cmp.Or(shareTypes[t], "Unknown") }

// TreeConnectExtension says that contexts lie before the path. [MS-SMB2] 2.2.9
const TreeConnectExtension = 0x0004

// TreeConnectRequest asks for a share. [MS-SMB2] 2.2.9
type TreeConnectRequest struct {
	Flags uint16     // dialect 3.1.1
	Path  wire.UTF16 // \\server\share; aliases the message
}

// TreeConnectResponse grants it; the header holds its number. [MS-SMB2] 2.2.10
type TreeConnectResponse struct {
	ShareType     ShareType
	ShareFlags    uint32
	Capabilities  uint32
	MaximalAccess dtyp.AccessMask
}

func (*TreeConnectRequest) body()  {}
func (*TreeConnectResponse) body() {}

var (
	connecting = fields.Section("[MS-SMB2] 2.2.9")
	fTreeFlags = connecting.Hex("smb2.tc.flags", "Flags").List(
		connecting.Flag(1, "smb2.tc.cluster_reconnect", "Cluster Reconnect", "Not set", "Set"),
		connecting.Flag(2, "smb2.tc.redirect_to_owner", "Redirect To Owner", "Not set", "Set"),
		connecting.Flag(4, "smb2.tc.extension_present", "Extension Present", "Not set", "Set"),
		connecting.Hex("smb2.tc.reserved", "Reserved").In(0xfff8))
	fPath = connecting.String("smb2.tree", "Tree")

	extension      = fields.Section("[MS-SMB2] 2.2.9.1")
	fExtension     = extension.Struct("", "Tree Connect Request Extension")
	fContextOffset = extension.Hex("", "TreeConnectContextOffset")
	fContextCount  = extension.Uint("", "TreeConnectContextCount")

	treeContext  = fields.Section("[MS-SMB2] 2.2.9.2")
	fTreeContext = treeContext.Struct("", "Tree Connect Context")
	fContextType = treeContext.Enum("", "ContextType", func(v uint64) string {
		return cmp.Or(map[uint64]string{1: "SMB2_REMOTED_IDENTITY_TREE_CONNECT_CONTEXT_ID"}[v], "Unknown")
	}).InHex()
	fContextLength  = treeContext.Uint("", "DataLength")
	fContextData    = treeContext.Bytes("", "Data")
	fContextPadding = treeContext.Bytes("", "Padding")

	identity      = fields.Section("[MS-SMB2] 2.2.9.2.1")
	fIdentity     = identity.Struct("", "Remoted Identity")
	fTicketType   = identity.Hex("", "TicketType")
	fTicketSize   = identity.Uint("", "TicketSize")
	fTicketInfo   = identity.Bytes("", "TicketInfo")
	fTicketOffset = ticketOffsets("User", "UserName", "Domain", "Groups", "RestrictedGroups", "Privileges",
		"PrimaryGroup", "Owner", "DefaultDacl", "DeviceGroups", "UserClaims", "DeviceClaims")

	connected   = fields.Section("[MS-SMB2] 2.2.10")
	fShareType  = connected.Enum("smb2.share_type", "Share Type", wire.Text[ShareType]).InHex()
	fShareFlags = connected.Hex("smb2.share_flags", "Share flags").List(
		connected.Flag(0x00000001, "smb2.share_flags.dfs", "DFS", "False", "True"),
		connected.Flag(0x00000002, "smb2.share_flags.dfs_root", "DFS root", "False", "True"),
		connected.Flag(0x00000100, "smb2.share_flags.restrict_exclusive_opens", "Restrict exclusive opens", "False", "True"),
		connected.Flag(0x00000200, "smb2.share_flags.force_shared_delete", "Force shared delete", "False", "True"),
		connected.Flag(0x00000400, "smb2.share_flags.allow_namespace_caching", "Allow namespace caching", "False", "True"),
		connected.Flag(0x00000800, "smb2.share_flags.access_based_dir_enum", "Access based directory enum", "False", "True"),
		connected.Flag(0x00001000, "smb2.share_flags.force_levelii_oplock", "Force level II oplock", "False", "True"),
		connected.Flag(0x00002000, "smb2.share_flags.enable_hash_v1", "Enable hash V1", "False", "True"),
		connected.Flag(0x00004000, "smb2.share_flags.enable_hash_v2", "Enable hash V2", "False", "True"),
		connected.Flag(0x00008000, "smb2.share_flags.encrypt_data", "Encrypted data required", "False", "True"),
		connected.Flag(0x00040000, "smb2.share_flags.identity_remoting", "Identity Remoting", "False", "True"),
		connected.Flag(0x00100000, "smb2.share_flags.compress_data", "Compressed IO", "False", "True"),
		connected.Flag(0x00200000, "", "Isolated transport", "False", "True"),
		connected.Enum("smb2.share.caching", "Caching policy", caching).InHex().InWhole(0x00000030))
	fShareCaps = connected.Hex("smb2.share_caps", "Share Capabilities").List(
		connected.Flag(0x00000008, "smb2.share_caps.dfs", "DFS", "False", "True"),
		connected.Flag(0x00000010, "smb2.share_caps.continuous_availability", "CONTINUOUS AVAILABILITY", "False", "True"),
		connected.Flag(0x00000020, "smb2.share_caps.scaleout", "SCALEOUT", "False", "True"),
		connected.Flag(0x00000040, "smb2.share_caps.cluster", "CLUSTER", "False", "True"),
		connected.Flag(0x00000080, "smb2.share_caps.assymetric", "ASSYMETRIC", "False", "True"),
		connected.Flag(0x00000100, "smb2.share_caps.redirect_to_owner", "REDIRECT_TO_OWNER", "False", "True"))
)

// caching names what clients may do about the share's files while they are offline.
func caching(v uint64) string {
	return [...]string{"Manual caching", "Auto caching", "VDO caching", "No caching"}[v>>4&3]
}

func (m *TreeConnectRequest) decode(c *wire.Cursor, d *Decoder) {
	*m = TreeConnectRequest{}
	size(c, 9)
	m.Flags = c.U16(fTreeFlags)
	pair := c.Sub(fPath, 4)
	off, n := look16(pair)
	m.Path = name16(c, &pair, fPath)
	if m.Flags&TreeConnectExtension != 0 {
		treeExtension(c, off+n)
	}
}

// treeExtension reads what lies between the fixed part and the path, and the contexts
// behind the path, which ends at end.
func treeExtension(c *wire.Cursor, end uint32) {
	mark := c.Open(fExtension)
	off, count := c.U32(fContextOffset), c.U16(fContextCount)
	c.Skip(fReserved, 10)
	c.Close(mark)
	// "The offset from the start of the SMB2 TREE_CONNECT request": whether that begins
	// with the header nobody says, but where it would be within the path, it does not.
	if off < end {
		off += headerSize
	}
	padding(c, end, off)
	list := c.From(fTreeContext, off)
	for i := uint16(0); i < count && !list.Failed(); i++ {
		treeConnectContext(&list)
	}
	c.Join(&list)
}

// treeConnectContext reads one context. All but the last are filled up to 8 bytes.
func treeConnectContext(c *wire.Cursor) {
	defer c.Close(c.Open(fTreeContext))
	const remotedIdentity = 1
	typ, n := c.U16(fContextType), c.U16(fContextLength)
	c.Skip(fReserved, 4)
	data := c.Sub(fContextData, int(n))
	if typ == remotedIdentity {
		remoted(&data)
	}
	if data.Len() > 0 {
		data.Skip(fContextData, data.Len())
	}
	c.Join(&data)
	c.Skip(fContextPadding, min(int(-n&7), c.Len()))
}

// remoted reads the token of the user that a proxy server acts for. What the offsets
// point at stays opaque: its structures are those of the receiver's token.
func remoted(c *wire.Cursor) {
	defer c.Close(c.Open(fIdentity))
	c.U16(fTicketType)
	c.U16(fTicketSize)
	for _, f := range fTicketOffset {
		c.U16(f)
	}
	c.Skip(fTicketInfo, c.Len())
}

func ticketOffsets(names ...string) (fs []*wire.Field) {
	for _, s := range names {
		fs = append(fs, identity.Hex("", s))
	}
	return fs
}

func (m *TreeConnectResponse) decode(c *wire.Cursor, d *Decoder) {
	*m = TreeConnectResponse{}
	size(c, 16)
	m.ShareType = ShareType(c.U8(fShareType))
	c.Skip(fReserved, 1)
	m.ShareFlags = c.U32(fShareFlags)
	m.Capabilities = c.U32(fShareCaps)
	m.MaximalAccess = dtyp.FileAccess(c)
}
