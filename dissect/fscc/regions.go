package fscc

import "github.com/odxray/odxray/dissect/wire"

// Region is a part of a file that is in a state of its own. [MS-FSCC] 2.3.56.1
type Region struct {
	Range
	Usage uint32 // 1: valid cached data
}

// Regions is regions as they lie on the wire.
type Regions []byte

const regionSize = 24

// Len returns how many regions there are.
func (s Regions) Len() int { return len(s) / regionSize }

// At returns region i.
func (s Regions) At(i int) (r Region) {
	c := wire.New(s[i*regionSize:], nil)
	r.decode(&c)
	return r
}

// RegionsRequest asks for the regions of a range; without it, those of the whole
// file. [MS-FSCC] 2.3.55
type RegionsRequest struct{ Region }

// RegionsReply lists them. [MS-FSCC] 2.3.56
type RegionsReply struct {
	Flags   uint32
	Total   uint32 // as there are
	Count   uint32 // as the reply claims to hold
	Regions Regions
}

var (
	region         = fields.Section("[MS-FSCC] 2.3.56")
	fRegionFlags   = region.Hex("smb2.qfr_flags", "Flags")
	fRegionTotal   = region.Hex("smb2.qfr_tot_region_entry_count", "Total Region Entry Count")
	fRegionCount   = region.Hex("smb2.qfr_region_entry_count", "Region Entry Count")
	fRegion        = region.Struct("", "Entry")
	fRegionOffset  = region.Uint("smb2.file_offset", "File Offset")
	fRegionLength  = region.Uint("smb2.qfr_length", "Length")
	fRegionUsage   = region.Enum("smb2.qfr_usage", "Desired Usage", usage).InHex()
	fRegionPadding = region.Bytes("smb2.reserved", "Reserved")
)

func usage(v uint64) string {
	switch v {
	case 1:
		return "FILE_REGION_USAGE_VALID_CACHED_DATA"
	case 2:
		return "FILE_REGION_USAGE_VALID_NONCACHED_DATA"
	}
	return "Unknown"
}

func (m *RegionsRequest) Decode(c *wire.Cursor) { m.read(c) }

// read reads a region without a structure around it.
func (r *Region) read(c *wire.Cursor) {
	r.Offset = c.U64(fRegionOffset)
	r.Length = c.U64(fRegionLength)
	r.Usage = c.U32(fRegionUsage)
	c.Skip(fRegionPadding, 4)
}

func (r *Region) decode(c *wire.Cursor) {
	defer c.Close(c.Open(fRegion))
	r.read(c)
}

func (m *RegionsReply) Decode(c *wire.Cursor) {
	m.Flags = c.U32(fRegionFlags)
	m.Total = c.U32(fRegionTotal)
	m.Count = c.U32(fRegionCount)
	c.Skip(fRegionPadding, 4)
	list := c.Ahead()
	m.Regions = list.Bytes(fRegion, regionSize*min(int(m.Count), list.Len()/regionSize))
	for range m.Count {
		if c.Len() == 0 {
			c.Fail(fRegion, wire.ErrShort)
			return
		}
		var r Region
		r.decode(c)
	}
}
