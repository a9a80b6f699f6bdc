package fscc

import (
	"cmp"
	"iter"

	"github.com/odxray/odxray/dissect/wire"
)

// NotifyFilter says what changes to report. [MS-SMB2] 2.2.35
type NotifyFilter uint32

// Action is what happened to a file. [MS-FSCC] 2.7.1
type Action uint32

const (
	ActionAdded Action = 1 + iota
	ActionRemoved
	ActionModified
	ActionRenamedOldName // the entry after it has the new one
	ActionRenamedNewName
	ActionAddedStream
	ActionRemovedStream
	ActionModifiedStream
	ActionRemovedByDelete
	ActionIDNotTunnelled
	ActionTunnelledIDCollision
)

var actions = map[Action]string{
	ActionAdded:                "FILE_ACTION_ADDED",
	ActionRemoved:              "FILE_ACTION_REMOVED",
	ActionModified:             "FILE_ACTION_MODIFIED",
	ActionRenamedOldName:       "FILE_ACTION_RENAMED_OLD_NAME",
	ActionRenamedNewName:       "FILE_ACTION_RENAMED_NEW_NAME",
	ActionAddedStream:          "FILE_ACTION_ADDED_STREAM",
	ActionRemovedStream:        "FILE_ACTION_REMOVED_STREAM",
	ActionModifiedStream:       "FILE_ACTION_MODIFIED_STREAM",
	ActionRemovedByDelete:      "FILE_ACTION_REMOVED_BY_DELETE",
	ActionIDNotTunnelled:       "FILE_ACTION_ID_NOT_TUNNELLED",
	ActionTunnelledIDCollision: "FILE_ACTION_TUNNELLED_ID_COLLISION",
}

func (a Action) String() string { return cmp.Or(actions[a], "Unknown") }

// Changes is a list of FILE_NOTIFY_INFORMATION. [MS-FSCC] 2.7.1
type Changes struct{ Chain }

// Change is something that happened in a directory.
type Change struct {
	Action Action
	Name   wire.UTF16 // of the file, relative to the directory
}

var (
	notify  = fields.Section("[MS-FSCC] 2.7.1")
	fFilter = notify.Hex("smb.nt.notify.completion_filter", "Completion Filter").List(
		notify.Flag(0x00000001, "smb.nt.notify.file_name", "File Name Change", "Do NOT notify on changes to file name", "Notify on changes to FILE NAME"),
		notify.Flag(0x00000002, "smb.nt.notify.dir_name", "Directory Name Change", "Do NOT notify on changes to dir name", "Notify on changes to DIR NAME"),
		notify.Flag(0x00000004, "smb.nt.notify.attributes", "Attribute Change", "Do NOT notify on changes to attributes", "Notify on changes to ATTRIBUTES"),
		notify.Flag(0x00000008, "smb.nt.notify.size", "Size Change", "Do NOT notify on changes to size", "Notify on changes to SIZE"),
		notify.Flag(0x00000010, "smb.nt.notify.last_write", "Last Write Change", "Do NOT notify on changes to last write time", "Notify on changes to LAST WRITE TIME"),
		notify.Flag(0x00000020, "smb.nt.notify.last_access", "Last Access Change", "Do NOT notify on changes to last access time", "Notify on changes to LAST ACCESS TIME"),
		notify.Flag(0x00000040, "smb.nt.notify.creation", "Created Change", "Do NOT notify on changes to creation time", "Notify on changes to CREATION TIME"),
		notify.Flag(0x00000080, "smb.nt.notify.ea", "EA Change", "Do NOT notify on changes to EA", "Notify on changes to EA"),
		notify.Flag(0x00000100, "smb.nt.notify.security", "Security Change", "Do NOT notify on changes to security", "Notify on changes to SECURITY"),
		notify.Flag(0x00000200, "smb.nt.notify.stream_name", "Stream Name Change", "Do NOT notify on changes to stream name", "Notify on changes to STREAM NAME"),
		notify.Flag(0x00000400, "smb.nt.notify.stream_size", "Stream Size Change", "Do NOT notify on changes to stream size", "Notify on changes to STREAM SIZE"),
		notify.Flag(0x00000800, "smb.nt.notify.stream_write", "Stream Write", "Do NOT notify on changes to stream write", "Notify on changes to STREAM WRITE"),
	)
	fNotifyInfo = notify.Struct("smb2.notify.info", "Notify Info")
	fNotifyNext = notify.Hex("smb2.notify.next_offset", "Next Offset")
	fAction     = notify.Enum("smb2.notify.action", "Action", wire.Text[Action]).InHex()
)

// Filter reads a NotifyFilter.
func Filter(c *wire.Cursor) NotifyFilter { return NotifyFilter(c.U32(fFilter)) }

func (m *Changes) Decode(c *wire.Cursor) {
	*m = Changes{}
	for first := c.Ahead(); c.Len() > 0; m.add(first, c) {
		var n Change
		n.decode(c)
	}
}

// All yields the changes.
func (m *Changes) All() iter.Seq[*Change] { return each(&m.Chain, (*Change).decode) }

func (n *Change) decode(c *wire.Cursor) {
	e := link(c, fNotifyNext)
	defer end(c, &e)
	defer e.Close(e.Open(fNotifyInfo))
	e.U32(fNotifyNext)
	n.Action = Action(e.U32(fAction))
	n.Name = e.UTF16(fFilename, int(e.U32(fFilenameLength)))
}
