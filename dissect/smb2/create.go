package smb2

import (
	"cmp"

	"github.com/odxray/odxray/dissect/dtyp"
	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/wire"
)

// Disposition says what is to become of a file that exists, or does not. [MS-SMB2] 2.2.13
type Disposition uint32

const (
	Supersede Disposition = iota
	Open
	CreateNew // FILE_CREATE
	OpenIf
	Overwrite
	OverwriteIf
)

var dispositions = map[Disposition]string{
	Supersede:   "Supersede (supersede existing file (if it exists))",
	Open:        "Open (if file exists open it, else fail)",
	CreateNew:   "Create (if file exists fail, else create it)",
	OpenIf:      "Open If (if file exists open it, else create it)",
	Overwrite:   "Overwrite (if file exists overwrite, else fail)",
	OverwriteIf: "Overwrite If (if file exists overwrite, else create it)",
}

func (d Disposition) String() string { return cmp.Or(dispositions[d], "Unknown") }

// CreateOptions of a CREATE. [MS-SMB2] 2.2.13
type CreateOptions uint32

const (
	OptionDirectory      CreateOptions = 0x00000001
	OptionWriteThrough   CreateOptions = 0x00000002
	OptionSequentialOnly CreateOptions = 0x00000004
	OptionNoBuffering    CreateOptions = 0x00000008
	OptionNonDirectory   CreateOptions = 0x00000040
	OptionRandomAccess   CreateOptions = 0x00000800
	OptionDeleteOnClose  CreateOptions = 0x00001000
	OptionOpenByFileID   CreateOptions = 0x00002000
	OptionReparsePoint   CreateOptions = 0x00200000
)

// ShareAccess is what others may do with the file meanwhile. [MS-SMB2] 2.2.13
type ShareAccess uint32

const (
	ShareRead   ShareAccess = 1
	ShareWrite  ShareAccess = 2
	ShareDelete ShareAccess = 4
)

// CreateAction is what the server did. [MS-SMB2] 2.2.14
type CreateAction uint32

const (
	ActionSuperseded CreateAction = iota
	ActionOpened
	ActionCreated
	ActionOverwritten
)

var actions = map[CreateAction]string{
	ActionSuperseded:  "No action taken?", // so Wireshark has it
	ActionOpened:      "The file existed and was opened",
	ActionCreated:     "The file did not exist but was created",
	ActionOverwritten: "The file existed and was truncated",
	0x8001:            "The file existed and was opened, and an OpLock was granted",
	0x8002:            "The file did not exist but was created, and an OpLock was granted",
	0x8003:            "The file existed and was truncated, and an OpLock was granted",
}

func (a CreateAction) String() string { return cmp.Or(actions[a], "Unknown") }

// Impersonation is how far the server may act for the client. [MS-SMB2] 2.2.13
type Impersonation uint32

var impersonations = map[Impersonation]string{0: "Anonymous", 1: "Identification", 2: "Impersonation", 3: "Delegation"}

func (i Impersonation) String() string { return cmp.Or(impersonations[i], "Unknown") }

// CreateRequest opens or creates a file. [MS-SMB2] 2.2.13
type CreateRequest struct {
	OplockLevel    OplockLevel
	Impersonation  Impersonation
	Flags          uint64 // SmbCreateFlags, reserved
	DesiredAccess  dtyp.AccessMask
	FileAttributes fscc.Attributes
	ShareAccess    ShareAccess
	Disposition    Disposition
	Options        CreateOptions
	Name           wire.UTF16  // relative to the share, without a leading backslash; aliases the message
	List           ContextList // the contexts as they lie on the wire; nil if they were not gathered whole
	RequestContexts
}

// CreateResponse brings the open. [MS-SMB2] 2.2.14
type CreateResponse struct {
	OplockLevel OplockLevel
	Flags       uint8 // 1: the file is a reparse point
	Action      CreateAction
	Times
	AllocationSize uint64 // bytes
	EndOfFile      uint64 // bytes
	Attributes     fscc.Attributes
	File           FileID
	List           ContextList // the contexts as they lie on the wire; nil if they were not gathered whole
	ResponseContexts
}

func (*CreateRequest) body()  {}
func (*CreateResponse) body() {}

var (
	creating       = fields.Section("[MS-SMB2] 2.2.13")
	fImpersonation = creating.Enum("smb2.impersonation.level", "Impersonation level", wire.Text[Impersonation])
	fCreateFlags   = creating.Hex("smb2.create_flags", "Create Flags")
	fShareAccess   = creating.Hex("smb.share_access", "Share Access").List(
		creating.Flag(1, "smb.share.access.read", "Read", "Object can NOT be shared for read", "Object can be shared for READ"),
		creating.Flag(2, "smb.share.access.write", "Write", "Object can NOT be shared for write", "Object can be shared for WRITE"),
		creating.Flag(4, "smb.share.access.delete", "Delete", "Object can NOT be shared for delete", "Object can be shared for DELETE"))
	fDisposition = creating.Enum("smb2.create.disposition", "Disposition", wire.Text[Disposition])
	fOptions     = creating.Hex("smb.create_options", "Create Options").Split(
		creating.Flag(0x00000001, "smb.nt.create_options.directory", "Directory", "File being created/opened must not be a directory", "File being created/opened must be a directory"),
		creating.Flag(0x00000002, "smb.nt.create_options.write_through", "Write Through", "Writes need not flush buffered data before completing", "Writes should flush buffered data before completing"),
		creating.Flag(0x00000004, "smb.nt.create_options.sequential_only", "Sequential Only", "The file might not only be accessed sequentially", "The file will only be accessed sequentially"),
		creating.Flag(0x00000008, "smb.nt.create_options.intermediate_buffering", "Intermediate Buffering", "Intermediate buffering is allowed", "NO intermediate buffering is allowed"),
		creating.Flag(0x00000010, "smb.nt.create_options.sync_io_alert", "Sync I/O Alert", "Operations NOT necessarily synchronous", "All operations SYNCHRONOUS, waits subject to termination from alert"),
		creating.Flag(0x00000020, "smb.nt.create_options.sync_io_nonalert", "Sync I/O Nonalert", "Operations NOT necessarily synchronous", "All operations SYNCHRONOUS, waits not subject to alert"),
		creating.Flag(0x00000040, "smb.nt.create_options.non_directory", "Non-Directory", "File being created/opened must be a directory", "File being created/opened must not be a directory"),
		creating.Flag(0x00000080, "smb.nt.create_options.create_tree_connection", "Create Tree Connection", "Create Tree Connections is NOT set", "Create Tree Connections is SET"),
		creating.Flag(0x00000100, "smb.nt.create_options.complete_if_oplocked", "Complete If Oplocked", "Complete if oplocked is NOT set", "Complete if oplocked is SET"),
		creating.Flag(0x00000200, "smb.nt.create_options.no_ea_knowledge", "No EA Knowledge", "The client understands extended attributes", "The client does not understand extended attributes"),
		creating.Flag(0x00000400, "smb.nt.create_options.eight_dot_three_only", "8.3 Only", "The client understands long file names", "The client understands only 8.3 file names"),
		creating.Flag(0x00000800, "smb.nt.create_options.random_access", "Random Access", "The file will not be accessed randomly", "The file will be accessed randomly"),
		creating.Flag(0x00001000, "smb.nt.create_options.delete_on_close", "Delete On Close", "The file should not be deleted when it is closed", "The file should be deleted when it is closed"),
		creating.Flag(0x00002000, "smb.nt.create_options.open_by_fileid", "Open By FileID", "OpenByFileID is NOT set", "OpenByFileID bit is SET"),
		creating.Flag(0x00004000, "smb.nt.create_options.backup_intent", "Backup Intent", "This is a normal create", "This is a create with BACKUP INTENT"),
		creating.Flag(0x00008000, "smb.nt.create_options.no_compression", "No Compression", "Compression is allowed for Open/Create", "Open/Create with NO Compression"),
		creating.Flag(0x00100000, "smb.nt.create_options.reserve_opfilter", "Reserve Opfilter", "Reserve Opfilter is NOT set", "Reserve Opfilter is SET"),
		creating.Flag(0x00200000, "smb.nt.create_options.open_reparse_point", "Open Reparse Point", "Normal open", "Open a Reparse Point"),
		creating.Flag(0x00400000, "smb.nt.create_options.open_no_recall", "Open No Recall", "Open no recall is NOT set", "Open No Recall is SET"),
		creating.Flag(0x00800000, "smb.nt.create_options.open_for_free_space_query", "Open For Free Space query", "This is NOT an open for free space query", "This is an OPEN FOR FREE SPACE QUERY"))
	fFilename = creating.String("smb2.filename", "Filename")

	created     = fields.Section("[MS-SMB2] 2.2.14")
	fReplyFlags = created.Hex("smb2.create.rep_flags", "Response Flags").List(
		created.Flag(1, "smb2.create.rep_flags.reparse_point", "ReparsePoint", "False", "True"))
	fAction = created.Enum("smb2.create.action", "Create Action", wire.Text[CreateAction])
)

func (m *CreateRequest) decode(c *wire.Cursor, d *Decoder) {
	*m = CreateRequest{}
	size(c, 57)
	c.Skip(fSpare, 1) // SecurityFlags
	m.OplockLevel = OplockLevel(c.U8(fOplock))
	m.Impersonation = Impersonation(c.U32(fImpersonation))
	m.Flags = c.U64(fCreateFlags)
	c.Skip(fReserved, 8)
	m.DesiredAccess = dtyp.FileAccess(c)
	m.FileAttributes = fscc.FileAttributes(c)
	m.ShareAccess = ShareAccess(c.U32(fShareAccess))
	m.Disposition = Disposition(c.U32(fDisposition))
	m.Options = CreateOptions(c.U32(fOptions))
	name := c.Sub(fFilename, 4)
	pair := c.Sub(fExtraInfo, 8)
	nameOff, nameLen := look16(name)
	listOff, _ := look32(pair)
	m.Name = name16(c, &name, fFilename)
	padding(c, nameOff+nameLen, listOff)
	list := openContexts(c, &pair)
	m.List = list.at.Peek(list.at.Len())
	for list.next() {
		m.RequestContexts.decode(&list)
		list.done()
	}
	c.Join(&list.at)
}

func (m *CreateResponse) decode(c *wire.Cursor, d *Decoder) {
	*m = CreateResponse{}
	size(c, 89)
	m.OplockLevel = OplockLevel(c.U8(fOplock))
	m.Flags = c.U8(fReplyFlags)
	m.Action = CreateAction(c.U32(fAction))
	m.Times.decode(c)
	m.AllocationSize = c.U64(fAllocation)
	m.EndOfFile = c.U64(fEndOfFile)
	m.Attributes = fscc.FileAttributes(c)
	c.Skip(fReserved, 4)
	m.File.decode(c, d.ctx)
	pair := c.Sub(fExtraInfo, 8)
	list := openContexts(c, &pair)
	m.List = list.at.Peek(list.at.Len())
	for list.next() {
		m.ResponseContexts.decode(&list)
		list.done()
	}
	c.Join(&list.at)
}
