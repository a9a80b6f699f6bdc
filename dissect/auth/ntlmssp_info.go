package auth

import "github.com/odxray/odxray/dissect/wire"

// TargetInfo is a list of attributes. A Challenge names the server in it; the client
// repeats it in its NTLMv2 response, with what it wants to be sure of. [MS-NLMP] 2.2.2.1
type TargetInfo struct {
	NetBIOSComputer, NetBIOSDomain wire.UTF16
	DNSComputer, DNSDomain         wire.UTF16
	DNSTree                        wire.UTF16
	Flags                          uint32     // 2: the Authenticate has a MIC
	Time                           uint64     // FILETIME: the server's clock
	TargetName                     wire.UTF16 // response only: the service that the client means to talk to, such as cifs/server
}

// Attribute is the kind of an attribute. [MS-NLMP] 2.2.2.1
type Attribute uint16

const (
	endOfList Attribute = iota
	nbComputer
	nbDomain
	dnsComputer
	dnsDomain
	dnsTree
	attrFlags
	attrTime
	restrictions
	attrTarget
	channelBindings
	numAttributes
)

var attributes = [numAttributes]struct{ text, name, label string }{
	endOfList:       {"End of list", "", ""},
	nbComputer:      {"NetBIOS computer name", "nb_computer_name", "NetBIOS Computer Name"},
	nbDomain:        {"NetBIOS domain name", "nb_domain_name", "NetBIOS Domain Name"},
	dnsComputer:     {"DNS computer name", "dns_computer_name", "DNS Computer Name"},
	dnsDomain:       {"DNS domain name", "dns_domain_name", "DNS Domain Name"},
	dnsTree:         {"DNS tree name", "dns_tree_name", "DNS Tree Name"},
	attrFlags:       {"Flags", "flags", "Flags"},
	attrTime:        {"Timestamp", "timestamp", "Timestamp"},
	restrictions:    {"Restrictions", "restrictions", "Restrictions"},
	attrTarget:      {"Target Name", "target_name", "Target Name"},
	channelBindings: {"Channel Bindings", "channel_bindings", "Channel Bindings"},
}

func (a Attribute) String() string {
	if a < numAttributes {
		return attributes[a].text
	}
	return "Unknown"
}

// infoFields are the fields of a list: the two places where one occurs have names
// of their own.
type infoFields struct {
	kind, size *wire.Field
	plain      *wire.Field                // an attribute
	named      [numAttributes]*wire.Field // one with a text, which its line repeats
	value      [numAttributes]*wire.Field
	unknown    *wire.Field
}

func infoFieldsOf(s wire.Section, prefix, what string) *infoFields {
	attribute := func(v uint64) string { return ": " + Attribute(v).String() }
	fs := &infoFields{
		kind:    s.Enum(prefix+".item.type", what+" Item Type", wire.Text[Attribute]).InHex(),
		size:    s.Uint(prefix+".item.length", what+" Item Length"),
		plain:   s.Struct("", "Attribute").Formatted(attribute),
		unknown: s.Bytes("", "Value"),
	}
	for a := nbComputer; a < numAttributes; a++ {
		name, label := prefix+"."+attributes[a].name, attributes[a].label
		switch a {
		case attrFlags:
			fs.value[a] = s.Hex(name, label)
		case attrTime:
			fs.value[a] = s.Time(name, label)
		case restrictions, channelBindings:
			fs.value[a] = s.Bytes(name, label)
		default:
			fs.value[a] = s.String(name, label)
			fs.named[a] = s.Struct("", "Attribute: "+attributes[a].text).Titled(fs.value[a])
		}
	}
	return fs
}

var (
	info        = fields.Section("[MS-NLMP] 2.2.2.1")
	fTargetInfo = info.Struct("ntlmssp.challenge.target_info", "Target Info")
	fInvalid    = info.Struct("ntlmssp.target_info_attr.invalid", "invalid NTLMSSP Target Info AvPairs")
	challenge   = infoFieldsOf(info, "ntlmssp.challenge.target_info", "Target Info")
)

var (
	v2         = fields.Section("[MS-NLMP] 2.2.2.7, 2.2.2.8")
	fNTLMv2    = v2.Bytes("ntlmssp.ntlmv2_response", "NTLMv2 Response")
	fProof     = v2.Bytes("ntlmssp.ntlmv2_response.ntproofstr", "NTProofStr")
	fRespType  = v2.Uint("ntlmssp.ntlmv2_response.rversion", "Response Version")
	fHiType    = v2.Uint("ntlmssp.ntlmv2_response.hirversion", "Hi Response Version")
	fZ         = v2.Bytes("ntlmssp.ntlmv2_response.z", "Z")
	fTime      = v2.Time("ntlmssp.ntlmv2_response.time", "Time")
	fV2Client  = v2.Bytes("ntlmssp.ntlmv2_response.chal", "NTLMv2 Client Challenge")
	fV2Padding = v2.Bytes("ntlmssp.ntlmv2_response.pad", "padding")
	response   = infoFieldsOf(v2, "ntlmssp.ntlmv2_response", "NTLMV2 Response")
)

// targetInfo reads the list that the next pair points at.
func (r *reader) targetInfo(info *TargetInfo) {
	pair, n, off := r.pair(fTargetInfo)
	v := *r.Cursor
	if n > 0 { // off means nothing otherwise
		v = r.At(fTargetInfo, off, uint32(n))
	}
	mark := v.Open(fTargetInfo)
	pair.U16(fInfoPair.n)
	pair.U16(fInfoPair.most)
	pair.U32(fInfoPair.off)
	r.Join(&pair)
	if n > 0 {
		info.decode(&v, challenge)
	}
	v.Close(mark)
	r.Join(&v)
}

// decode reads attributes up to the end of the list, or of c. One that runs past that
// is no failure of the message: clients put other things there when they are asked to
// prove that a server does not mind.
func (t *TargetInfo) decode(c *wire.Cursor, fs *infoFields) {
	for c.Len() > 0 {
		look := c.Ahead()
		a, n := Attribute(look.U16(fs.kind)), int(look.U16(fs.size))
		if c.Len() < 4 || n > c.Len()-4 {
			mark := c.Open(fInvalid)
			rest := c.Sub(fInvalid, c.Len())
			c.Join(&rest)
			c.Close(mark)
			return
		}
		f := fs.plain
		if a < numAttributes && fs.named[a] != nil && n > 0 {
			f = fs.named[a]
		}
		mark := c.Open(f)
		c.Title(mark, uint64(a), "")
		c.U16(fs.kind)
		c.U16(fs.size)
		v := c.Sub(fs.size, n)
		if n > 0 {
			t.attribute(&v, a, fs)
		}
		c.Join(&v)
		c.Close(mark)
		if a == endOfList {
			return
		}
	}
}

// attribute reads the value of an attribute, which is all of c.
func (t *TargetInfo) attribute(c *wire.Cursor, a Attribute, fs *infoFields) {
	f := fs.unknown
	if a < numAttributes && fs.value[a] != nil {
		f = fs.value[a]
	}
	switch a {
	case attrFlags:
		t.Flags = c.U32(f)
		return
	case attrTime:
		t.Time = c.U64(f)
		return
	}
	b := wire.UTF16(c.Bytes(f, c.Len()))
	switch a {
	case nbComputer:
		t.NetBIOSComputer = b
	case nbDomain:
		t.NetBIOSDomain = b
	case dnsComputer:
		t.DNSComputer = b
	case dnsDomain:
		t.DNSDomain = b
	case dnsTree:
		t.DNSTree = b
	case attrTarget:
		t.TargetName = b
	}
}

// ntResponse reads the response to the challenge: 24 bytes, or an NTLMv2 response
// that comes with the list of attributes it covers.
func (r *reader) ntResponse(info *TargetInfo) []byte {
	pair, n, off := r.pair(fNTResponse)
	if n == 0 {
		r.empty(&pair, fNTResponse, "Empty")
		return nil
	}
	v := r.At(fNTResponse, off, uint32(n))
	again := v
	b := v.Bytes(fNTResponse, int(n))
	mark := v.Below(fNTResponse)
	pair.U16(fBlobPair.n)
	pair.U16(fBlobPair.most)
	pair.U32(fBlobPair.off)
	r.Join(&pair)
	if len(b) > 24 {
		info.ntlmv2(&again)
		v.Join(&again)
	}
	v.End(mark)
	r.Join(&v)
	return b
}

func (t *TargetInfo) ntlmv2(c *wire.Cursor) {
	whole := *c
	whole.Bytes(fNTLMv2, c.Len())
	mark := whole.Below(fNTLMv2)
	c.Skip(fProof, 16)
	c.U8(fRespType)
	c.U8(fHiType)
	c.Skip(fZ, 6)
	c.U64(fTime)
	c.Skip(fV2Client, 8)
	c.Skip(fZ, 4)
	t.decode(c, response)
	if c.Len() > 0 {
		c.Skip(fV2Padding, c.Len())
	}
	c.End(mark)
}
