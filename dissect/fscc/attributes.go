package fscc

import "github.com/odxray/odxray/dissect/wire"

// Attributes are the attributes of a file or directory. [MS-FSCC] 2.6
type Attributes uint32

const (
	AttributeReadOnly          Attributes = 1 << 0
	AttributeHidden            Attributes = 1 << 1
	AttributeSystem            Attributes = 1 << 2
	AttributeDirectory         Attributes = 1 << 4
	AttributeArchive           Attributes = 1 << 5
	AttributeNormal            Attributes = 1 << 7 // alone: no other is set
	AttributeTemporary         Attributes = 1 << 8
	AttributeSparse            Attributes = 1 << 9
	AttributeReparsePoint      Attributes = 1 << 10
	AttributeCompressed        Attributes = 1 << 11
	AttributeOffline           Attributes = 1 << 12
	AttributeNotContentIndexed Attributes = 1 << 13
	AttributeEncrypted         Attributes = 1 << 14
	AttributeIntegrityStream   Attributes = 1 << 15
	AttributeNoScrubData       Attributes = 1 << 17
)

var (
	attributes  = fields.Section("[MS-FSCC] 2.6")
	fAttributes = attributes.Hex("smb2.file_attribute", "File Attributes").Split(
		attributes.Flag(0x00000001, "smb2.file_attribute.read_only", "Read Only", "No", "Yes"),
		attributes.Flag(0x00000002, "smb2.file_attribute.hidden", "Hidden", "No", "Yes"),
		attributes.Flag(0x00000004, "smb2.file_attribute.system", "System", "No", "Yes"),
		attributes.Flag(0x00000010, "smb2.file_attribute.directory", "Directory", "No", "Yes"),
		attributes.Flag(0x00000020, "smb2.file_attribute.archive", "Requires archived", "No", "Yes"),
		attributes.Flag(0x00000080, "smb2.file_attribute.normal", "Normal", "No", "Yes"),
		attributes.Flag(0x00000100, "smb2.file_attribute.temporary", "Temporary", "No", "Yes"),
		attributes.Flag(0x00000200, "smb2.file_attribute.sparse", "Sparse", "No", "Yes"),
		attributes.Flag(0x00000400, "smb2.file_attribute.reparse", "Reparse Point", "Does NOT have an associated reparse point", "Has an associated REPARSE POINT"),
		attributes.Flag(0x00000800, "smb2.file_attribute.compressed", "Compressed", "Uncompressed", "COMPRESSED"),
		attributes.Flag(0x00001000, "smb2.file_attribute.offline", "Offline", "Online", "OFFLINE"),
		attributes.Flag(0x00002000, "smb2.file_attribute.not_content_indexed", "Not Content Indexed", "Is indexed by the content indexing service", "Is not indexed by the content indexing service"),
		attributes.Flag(0x00004000, "smb2.file_attribute.encrypted", "Encrypted", "No", "Yes"),
		attributes.Flag(0x00008000, "smb2.file_attribute.integrity_stream", "Integrity Stream", "Does NOT have Integrity Support", "Has Integrity Support"),
		attributes.Flag(0x00020000, "smb2.file_attribute.no_scrub_data", "No Scrub Data", "Is not excluded from the data integrity scan", "Is excluded from the data integrity scan"),
	)
)

// FileAttributes reads the attributes of a file.
func FileAttributes(c *wire.Cursor) Attributes { return Attributes(c.U32(fAttributes)) }
