package smb2

import (
	"strings"

	"github.com/odxray/odxray/dissect/wire"
)

// Contexts is a set of create contexts. [MS-SMB2] 2.2.13.2
type Contexts uint32

const (
	ContextEA            Contexts = 1 << iota // ExtA
	ContextSD                                 // SecD
	ContextDurable                            // DHnQ
	ContextReconnect                          // DHnC
	ContextAllocation                         // AlSi
	ContextMaximalAccess                      // MxAc
	ContextTimeWarp                           // TWrp
	ContextDiskID                             // QFid
	ContextLease                              // RqLs, both versions
	ContextDurableV2                          // DH2Q
	ContextReconnectV2                        // DH2C
	ContextAppInstanceID                      // these four are named by GUIDs
	ContextAppInstanceVersion
	ContextSVHDX
	ContextPOSIX
	ContextAAPL
	ContextUnknown // at least one that this package has no decoder for
)

// Has reports whether all of x are in the set.
func (s Contexts) Has(x Contexts) bool { return s&x == x }

// contextNames are the names of contexts on the wire and Wireshark's words for them,
// in the order of the constants.
var contextNames = [...]struct{ tag, name string }{
	{"ExtA", "SMB2_CREATE_EA_BUFFER"},
	{"SecD", "SMB2_CREATE_SD_BUFFER"},
	{"DHnQ", "SMB2_CREATE_DURABLE_HANDLE_REQUEST"},
	{"DHnC", "SMB2_CREATE_DURABLE_HANDLE_RECONNECT"},
	{"AlSi", "SMB2_CREATE_ALLOCATION_SIZE"},
	{"MxAc", "SMB2_CREATE_QUERY_MAXIMAL_ACCESS_REQUEST"},
	{"TWrp", "SMB2_CREATE_TIMEWARP_TOKEN"},
	{"QFid", "SMB2_CREATE_QUERY_ON_DISK_ID"},
	{"RqLs", "SMB2_CREATE_REQUEST_LEASE"},
	{"DH2Q", "SMB2_CREATE_DURABLE_HANDLE_REQUEST_V2"},
	{"DH2C", "SMB2_CREATE_DURABLE_HANDLE_RECONNECT_V2"},
	{"\x45\xbc\xa6\x6a\xef\xa7\xf7\x4a\x90\x08\xfa\x46\x2e\x14\x4d\x74", "SMB2_CREATE_APP_INSTANCE_ID"},
	{"\xb9\x82\xd0\xb7\x3b\x56\x07\x4f\xa0\x7b\x52\x4a\x81\x16\xa0\x10", "SMB2_CREATE_APP_INSTANCE_VERSION"},
	{"\x9c\xcb\xcf\x9e\x04\xc1\xe6\x43\x98\x0e\x15\x8d\xa1\xf6\xec\x83", "SVHDX_OPEN_DEVICE_CONTEXT"},
	{"\x93\xad\x25\x50\x9c\xb4\x11\xe7\xb4\x23\x83\xde\x96\x8b\xcd\x7c", "SMB2_POSIX_CREATE_CONTEXT"},
	{"AAPL", "SMB2_AAPL_CREATE_CONTEXT"},
}

// contextIndex returns the place of a name among them, or one past the last.
func contextIndex(tag []byte) int {
	for i := range contextNames {
		if contextNames[i].tag == string(tag) {
			return i
		}
	}
	return len(contextNames)
}

var (
	contextSection = fields.Section("[MS-SMB2] 2.2.13.2")
	fExtraInfo     = contextSection.Struct("smb2.create.extrainfo", "ExtraInfo").Formatted(orderText)
	fElement       = contextSection.Struct("", "Chain Element").Formatted(elementText)
	fChainOffset   = contextSection.Hex("smb2.create.chain_offset", "Chain Offset")
	fTag           = contextSection.ASCII("smb2.tag", "Tag")
	fTagGUID       = contextSection.GUID("smb2.tag", "Tag")
	fChainData     = contextSection.Struct("smb2.create.chain_data", "Data")
	fContextRest   = contextSection.Bytes("smb2.unknown", "Unknown")
)

// elementText is what the line of a context says: its index is in the low half of v,
// and, if that is unknown, the beginning of its name above.
func elementText(v uint64) string {
	i := uint32(v)
	if i >= uint32(len(contextNames)) {
		tag := [4]byte{byte(v >> 56), byte(v >> 48), byte(v >> 40), byte(v >> 32)}
		return ": <invalid> \"" + string(tag[:]) + "\""
	}
	n := contextNames[i]
	if len(n.tag) == 16 {
		return ": " + n.name + " \"" + wire.GUID([]byte(n.tag)).String() + "\""
	}
	return ": " + n.name + " \"" + n.tag + "\""
}

// An order is the contexts of a list, five bits each: index plus one, the first in
// the lowest bits. What comes after the twelfth is left out.
const orderBits, orderMax = 5, 12

func orderText(v uint64) string {
	var b strings.Builder
	for ; v != 0; v >>= orderBits {
		b.WriteByte(' ')
		if i := int(v&(1<<orderBits-1)) - 1; i < len(contextNames) {
			b.WriteString(contextNames[i].name)
		} else {
			b.WriteString("<invalid>")
		}
	}
	return b.String()
}

// contextChain walks the contexts of a CREATE.
type contextChain struct {
	at    wire.Cursor // the next
	mark  wire.Mark
	order uint64
	count int

	// The one that next found.
	id   Contexts
	data wire.Cursor
	link wire.Cursor
	now  struct{ element, data wire.Mark }
	end  uint32 // of its data
	size uint32 // with what fills it up
}

// openContexts reads the pair and opens the list that it points at.
func openContexts(c, pair *wire.Cursor) (l contextChain) {
	off, n := pair32(pair)
	c.Join(pair)
	l.at = at(c, fExtraInfo, off, n)
	l.mark = l.at.Open(fExtraInfo)
	if n == 0 {
		l.at.Title(l.mark, 0, "NO DATA")
	}
	return l
}

// next reads all of a context but its data, which l.data is left over.
func (l *contextChain) next() bool {
	if l.at.Len() == 0 {
		l.at.Close(l.mark)
		return false
	}
	look := l.at.Ahead()
	next, size := look.U32(fChainOffset), l.at.Len()
	if next != 0 {
		size = int(next)
	}
	l.link = l.at.Sub(fElement, size)
	c := &l.link
	l.now.element = c.Open(fElement)
	c.U32(fChainOffset)
	tagPair := c.Sub(fTag, 4)
	c.Skip(fSpare, 2)
	dataPair := c.Sub(fChainData, 6)

	look = tagPair.Ahead()
	off, n := pair16(&look)
	tag := at(c, fTag, off, n)
	look = tag.Ahead()
	name := look.Bytes(fTag, look.Len())
	index := contextIndex(name)
	l.title(index, name)
	if n == 16 {
		tag.GUID(fTagGUID)
	} else {
		tag.Bytes(fTag, tag.Len())
	}
	below := tag.Below(fTag)
	if n == 16 {
		below = tag.Below(fTagGUID)
	}
	pair16(&tagPair)
	tag.End(below)
	c.Join(&tag)
	c.Join(&tagPair)

	dataOff := uint32(dataPair.U16(fPairOffset))
	dataLen := dataPair.U32(fPairLength)
	c.Join(&dataPair)
	l.end = off + n
	if dataLen > 0 {
		padding(c, l.end, dataOff)
		l.end = dataOff + dataLen
	}
	l.size = uint32(size)
	l.data = at(c, fChainData, dataOff, dataLen)
	l.now.data = l.data.Open(fChainData)
	if dataLen == 0 {
		l.data.Title(l.now.data, 0, "NO DATA")
	}
	return true
}

// title names the context at hand on its own line and on that of the list.
func (l *contextChain) title(index int, name []byte) {
	l.id = 1 << index
	if l.count < orderMax {
		l.order |= uint64(index+1) << (orderBits * l.count)
		l.count++
	}
	if l.mark >= 0 {
		l.at.Title(l.mark, l.order, "")
	}
	v := uint64(index)
	if l.id == ContextUnknown {
		for i, b := range name[:min(len(name), 4)] {
			v |= uint64(b) << (56 - 8*i)
		}
	}
	l.link.Title(l.now.element, v, "")
}

// named says on the line of the data what it is.
func (l *contextChain) named(what string) { l.data.Title(l.now.data, 0, what) }

// done ends the context that next began.
func (l *contextChain) done() {
	if l.data.Len() > 0 {
		l.data.Skip(fContextRest, l.data.Len())
	}
	l.data.Close(l.now.data)
	l.link.Join(&l.data)
	padding(&l.link, l.end, l.size)
	l.link.Sub(fElement, l.link.Len())
	l.link.Close(l.now.element)
	l.at.Join(&l.link)
}
