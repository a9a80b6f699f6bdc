package smb2

import (
	"cmp"

	"github.com/odxray/odxray/dissect/wire"
)

// SVHDX says that the file is a virtual disk that several may have open, and for
// whom. [MS-RSVD] 2.2.4.12, 2.2.4.32
type SVHDX struct {
	Version      uint32 // 1, 2
	HasInitiator bool   // InitiatorID is set
	InitiatorID  wire.GUID
	Flags        uint32
	Originator   uint32
	RequestID    uint64
	Host         wire.UTF16 // aliases the message

	// Version 2: what the server knows of the disk.
	Initialized    uint32
	ServiceVersion uint32
	VirtualSector  uint32 // bytes
	PhysicalSector uint32 // bytes
	VirtualSize    uint64 // bytes
}

var (
	svhdx          = fields.Section("[MS-RSVD] 2.2.4.12, 2.2.4.32")
	fSVHDX         = svhdx.Struct("", "SVHDX OPEN DEVICE CONTEXT")
	fSVHDXVersion  = svhdx.Uint("smb2.svhdx_open_device_context.version", "Version")
	fHasInitiator  = svhdx.Flag(0, "smb2.svhdx_open_device_context.initiator_has_id", "HasInitiatorId", "Does not have an initiator id", "Has an initiator id")
	fSVHDXReserved = svhdx.Bytes("smb2.svhdx_open_device_context.reserved", "Reserved")
	fInitiatorID   = svhdx.GUID("smb2.svhdx_open_device_context.initiator_id", "InitiatorId")
	fSVHDXFlags    = svhdx.Hex("smb2.svhdx_open_device_context.flags", "Flags")
	fOriginator    = svhdx.Enum("smb2.svhdx_open_device_context.originator_flags", "OriginatorFlags", func(v uint64) string {
		return cmp.Or(map[uint64]string{1: "SVHDX_ORIGINATOR_PVHDPARSER", 4: "SVHDX_ORIGINATOR_VHDMP"}[v], "Unknown")
	}).InHex()
	fOpenRequest    = svhdx.Hex("smb2.svhxd_open_device_context.open_request_id", "OpenRequestId")
	fHostLength     = svhdx.Uint("smb2.svhxd_open_device_context.initiator_host_name_len", "HostNameLength")
	fSVHDXHost      = svhdx.String("smb2.svhdx_open_device_context.host_name", "HostName")
	fSVHDXPadding   = svhdx.Bytes("", "Padding")
	fInitialized    = svhdx.Uint("smb2.svhdx_open_device_context.virtual_disk_properties_initialized", "VirtualDiskPropertiesInitialized")
	fServiceVersion = svhdx.Uint("smb2.svhdx_open_device_context.server_service_version", "ServerServiceVersion")
	fVirtualSector  = svhdx.Uint("smb2.svhdx_open_device_context.virtual_sector_size", "VirtualSectorSize")
	fPhysicalSector = svhdx.Uint("smb2.svhdx_open_device_context.physical_sector_size", "PhysicalSectorSize")
	fVirtualSize    = svhdx.Uint("smb2.svhdx_open_device_context.virtual_size", "VirtualSize")
)

func (m *SVHDX) decode(c *wire.Cursor) {
	const hostRoom = 126 // bytes for the name, however long it is
	defer c.Close(c.Open(fSVHDX))
	*m = SVHDX{}
	m.Version = c.U32(fSVHDXVersion)
	m.HasInitiator = c.U8(fHasInitiator) != 0
	c.Skip(fSVHDXReserved, 3)
	m.InitiatorID = c.GUID(fInitiatorID)
	m.Flags = c.U32(fSVHDXFlags)
	m.Originator = c.U32(fOriginator)
	m.RequestID = c.U64(fOpenRequest)
	n := min(int(c.U16(fHostLength)), hostRoom)
	m.Host = c.UTF16(fSVHDXHost, n)
	if n < hostRoom {
		c.Skip(fSVHDXPadding, hostRoom-n)
	}
	if m.Version >= 2 {
		m.Initialized = c.U32(fInitialized)
		m.ServiceVersion = c.U32(fServiceVersion)
		m.VirtualSector = c.U32(fVirtualSector)
		m.PhysicalSector = c.U32(fPhysicalSector)
		m.VirtualSize = c.U64(fVirtualSize)
	}
}
