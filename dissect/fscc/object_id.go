package fscc

import "github.com/odxray/odxray/dissect/wire"

// ObjectIDBuffer names a file for ever, and says where it was born. It is the request
// of SET_OBJECT_ID and the reply of GET_ and CREATE_OR_GET_OBJECT_ID. [MS-FSCC] 2.1.3.1
type ObjectIDBuffer struct {
	ID wire.GUID
	ObjectIDOrigin
}

// ObjectIDOrigin is the request of SET_OBJECT_ID_EXTENDED. [MS-FSCC] 2.3.79
type ObjectIDOrigin struct {
	BirthVolume wire.GUID
	BirthObject wire.GUID
	Domain      wire.GUID
}

var (
	oid          = fields.Section("[MS-FSCC] 2.1.3.1")
	fOID         = oid.Struct("smb2.FILE_OBJECTID_BUFFER", "FILE_OBJECTID_BUFFER")
	fOIDObject   = oid.GUID("smb2.object_id", "ObjectId")
	fBirthVolume = oid.GUID("smb2.birth_volume_id", "BirthVolumeId")
	fBirthObject = oid.GUID("smb2.birth_object_id", "BirthObjectId")
	fDomain      = oid.GUID("smb2.domain_id", "DomainId")
)

func (m *ObjectIDBuffer) Decode(c *wire.Cursor) {
	defer c.Close(c.Open(fOID))
	m.ID = c.GUID(fOIDObject)
	m.ObjectIDOrigin.Decode(c)
}

func (m *ObjectIDOrigin) Decode(c *wire.Cursor) {
	m.BirthVolume = c.GUID(fBirthVolume)
	m.BirthObject = c.GUID(fBirthObject)
	m.Domain = c.GUID(fDomain)
}
