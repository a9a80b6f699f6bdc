package smb2

import (
	"github.com/odxray/odxray/dissect/dtyp"
	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/wire"
)

// RequestContexts are the contexts of a CREATE request. Each field is valid iff the
// context it names is in Contexts. [MS-SMB2] 2.2.13.2
type RequestContexts struct {
	Contexts       Contexts
	EA             fscc.FullEAInfo         // ContextEA
	SD             dtyp.SecurityDescriptor // ContextSD
	AllocationSize uint64                  // ContextAllocation, in bytes
	AccessTime     uint64                  // ContextMaximalAccess: a FILETIME; 0 if it has no data
	TimeWarp       uint64                  // ContextTimeWarp: the FILETIME of a snapshot
	Lease          Lease                   // ContextLease
	Durable        Durable                 // ContextDurableV2
	Reconnect      Reconnect               // ContextReconnect, ContextReconnectV2
	AppInstanceID  wire.GUID               // ContextAppInstanceID
	AppVersion     [2]uint64               // ContextAppInstanceVersion: high, low
	SVHDX          SVHDX                   // ContextSVHDX
	POSIXMode      uint32                  // ContextPOSIX
	AAPL           AAPL                    // ContextAAPL
}

// DurablePersistent in the flags of a Durable or Reconnect: the open shall outlive the
// server. [MS-SMB2] 2.2.13.2.11
const DurablePersistent = 0x00000002

// Durable asks for an open that outlives its connection, or grants it.
// [MS-SMB2] 2.2.13.2.11, 2.2.14.2.12
type Durable struct {
	Timeout    uint32 // milliseconds; in a request, 0 leaves it to the server
	Flags      uint32
	CreateGUID wire.GUID // requests only
}

// Reconnect asks for an open that outlived its connection. [MS-SMB2] 2.2.13.2.4, 2.2.13.2.12
type Reconnect struct {
	File       FileID
	CreateGUID wire.GUID // ContextReconnectV2
	Flags      uint32    // ContextReconnectV2
}

var (
	durable       = fields.Section("[MS-SMB2] 2.2.13.2.3, 2.2.14.2.3")
	fDurable      = durable.Hex("smb2.dhnq_buffer_reserved", "Reserved")
	fTimestampMx  = fields.Section("[MS-SMB2] 2.2.13.2.5").Time("smb2.mxac_timestamp", "Timestamp")
	fTimestampTW  = fields.Section("[MS-SMB2] 2.2.13.2.7").Time("smb2.twrp_timestamp", "Timestamp")
	durable2      = fields.Section("[MS-SMB2] 2.2.13.2.11, 2.2.13.2.12, 2.2.14.2.12")
	fDurable2     = durable2.Struct("", "DH2Q Request")
	fReconnect2   = durable2.Struct("", "DH2C Request")
	fDurableReply = durable2.Struct("", "DH2Q Response")
	fTimeout      = durable2.Uint("smb2.dh2x.timeout", "Timeout")
	fDurableFlags = durable2.Hex("smb2.dh2x.flags", "Flags").List(
		durable2.Flag(DurablePersistent, "smb2.dh2x.flags.persistent_handle", "Persistent Handle", "False", "True"))
	fDurableReserved = durable2.Hex("smb2.dh2x.reserved", "Reserved")
	fCreateGUID      = durable2.GUID("smb2.dh2x.create_guid", "Create Guid")

	appInstance          = fields.Section("[MS-SMB2] 2.2.13.2.13")
	fAppInstance         = appInstance.Struct("", "APP INSTANCE ID")
	fAppInstanceSize     = appInstance.Uint("smb2.app_instance.struct_size", "Struct Size")
	fAppInstanceReserved = appInstance.Hex("smb2.app_instance.reserved", "Reserved")
	fAppInstanceID       = appInstance.GUID("smb2.app_instance.app_guid", "Application Guid")

	appVersion          = fields.Section("[MS-SMB2] 2.2.13.2.15")
	fAppVersion         = appVersion.Struct("", "APP INSTANCE VERSION")
	fAppVersionSize     = appVersion.Uint("smb2.app_instance_version.struct_size", "Struct Size")
	fAppVersionReserved = appVersion.Uint("smb2.app_instance_version.reserved", "Reserved")
	fAppVersionPadding  = appVersion.Hex("smb2.app_instance_version.padding", "Padding")
	fAppVersionHigh     = appVersion.Uint("smb2.app_instance_version.version.high", "AppInstanceVersionHigh")
	fAppVersionLow      = appVersion.Uint("smb2.app_instance_version.version.low", "AppInstanceVersionLow")

	posix      = fields.Section("[SMB3-POSIX] 2.2.13.2.16")
	fPOSIXMode = posix.Uint("smb2.posix_perms", "POSIX perms").Formatted(octal)
)

// decode reads the data of the context that l is at.
func (m *RequestContexts) decode(l *contextChain) {
	m.Contexts |= l.id
	c := &l.data
	if c.Len() == 0 {
		return
	}
	switch l.id {
	case ContextEA:
		l.named("SMB2_FILE_FULL_EA_INFO")
		m.EA.Decode(c)
	case ContextSD:
		l.named("SMB2_SEC_INFO_00")
		mark := c.Open(fSecInfo)
		m.SD.Decode(c)
		c.Close(mark)
	case ContextDurable:
		var reserved FileID
		reserved.decode(c, &unknown)
	case ContextReconnect:
		m.Reconnect.File.decode(c, &unknown)
	case ContextAllocation:
		m.AllocationSize = c.U64(fAllocation)
	case ContextMaximalAccess:
		l.named("Timestamp")
		m.AccessTime = c.U64(fTimestampMx)
	case ContextTimeWarp:
		l.named("Timestamp")
		m.TimeWarp = c.U64(fTimestampTW)
	case ContextLease:
		l.lease(&m.Lease)
	case ContextDurableV2:
		l.named("DH2Q Request")
		m.Durable.decode(c)
	case ContextReconnectV2:
		l.named("DH2C Request")
		m.Reconnect.decode(c)
	case ContextAppInstanceID:
		l.named("CREATE APP INSTANCE ID")
		m.AppInstanceID = decodeAppInstance(c)
	case ContextAppInstanceVersion:
		l.named("CREATE APP INSTANCE VERSION")
		m.AppVersion = decodeAppVersion(c)
	case ContextSVHDX:
		l.named("SVHDX OPEN DEVICE CONTEXT")
		m.SVHDX.decode(c)
	case ContextPOSIX:
		l.named("POSIX Create Context request")
		m.POSIXMode = c.U32(fPOSIXMode)
	case ContextAAPL:
		l.named("AAPL Create Context request")
		m.AAPL.decodeRequest(c)
	}
}

// lease reads either version of a lease.
func (l *contextChain) lease(m *Lease) {
	m.decode(&l.data)
	if m.Version2 {
		l.named("LEASE_V2")
	} else {
		l.named("LEASE_V1")
	}
}

func (m *Durable) decode(c *wire.Cursor) {
	defer c.Close(c.Open(fDurable2))
	m.Timeout = c.U32(fTimeout)
	m.Flags = c.U32(fDurableFlags)
	c.U64(fDurableReserved)
	m.CreateGUID = c.GUID(fCreateGUID)
}

func (m *Reconnect) decode(c *wire.Cursor) {
	defer c.Close(c.Open(fReconnect2))
	m.File.decode(c, &unknown)
	m.CreateGUID = c.GUID(fCreateGUID)
	m.Flags = c.U32(fDurableFlags)
}

func decodeAppInstance(c *wire.Cursor) wire.GUID {
	defer c.Close(c.Open(fAppInstance))
	c.U16(fAppInstanceSize)
	c.U16(fAppInstanceReserved)
	return c.GUID(fAppInstanceID)
}

func decodeAppVersion(c *wire.Cursor) [2]uint64 {
	defer c.Close(c.Open(fAppVersion))
	c.U16(fAppVersionSize)
	c.U16(fAppVersionReserved)
	c.U32(fAppVersionPadding)
	return [2]uint64{c.U64(fAppVersionHigh), c.U64(fAppVersionLow)}
}
