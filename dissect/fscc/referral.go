package fscc

import "github.com/odxray/odxray/dissect/wire"

// ReferralRequest asks which servers keep a DFS path. [MS-DFSC] 2.2.2
type ReferralRequest struct {
	MaxLevel uint16     // newest version of Referral understood
	Path     wire.UTF16 // aliases the message
}

// ReferralExRequest is the same for a site. [MS-DFSC] 2.2.3
type ReferralExRequest struct {
	ReferralRequest
	Flags uint16     // 1: Site is there
	Site  wire.UTF16 // aliases the message
}

// ReferralReply lists the servers. [MS-DFSC] 2.2.4
type ReferralReply struct {
	Consumed uint16 // bytes of the request's path that the referrals stand for
	Count    uint16 // as claimed
	Flags    uint16 // 1: they answer referral requests, 2: they hold the files
	List     []byte // see Each; aliases the message
}

// Referral is one target of a path, or in a name list one domain and its
// controllers. [MS-DFSC] 2.2.5
type Referral struct {
	Version  uint16 // 1 to 4
	Root     bool   // the targets are of the namespace's root, not of a link
	Flags    uint16 // 2: name list, 4: first of a set of targets
	TTL      uint32 // seconds; from version 2
	Path     wire.UTF16
	AltPath  wire.UTF16
	Node     wire.UTF16 // \server\share; in a name list the domain
	Expanded []byte     // name list: texts that zeros end
}

const referralNameList = 2

var (
	referral       = fields.Section("[MS-DFSC] 2.2.4")
	fMaxLevel      = fields.Section("[MS-DFSC] 2.2.2").Uint("smb.max_referral_level", "Max Referral Level")
	fReferralFile  = fields.Section("[MS-DFSC] 2.2.2").String("smb.file", "File Name")
	fConsumed      = referral.Uint("smb.dfs.path_consumed", "Path Consumed")
	fReferralCount = referral.Uint("smb.dfs.num_referrals", "Num Referrals")
	fReferralFlags = referral.Hex("smb.dfs.flags", "Flags").List(
		referral.Flag(2, "smb.dfs.flags.server_hold_storage", "Hold Storage", "Referral server does NOT hold storage for the file", "Referral SERVER HOLDS STORAGE for the file"),
		referral.Flag(1, "smb.dfs.flags.fielding", "Fielding", "The server in referrals is NOT fielding capable", "The server in referral is FIELDING CAPABLE"))
	fReferralPad = referral.Bytes("smb.padding", "Padding")
	fReferrals   = referral.Struct("", "Referrals")
)

var (
	target       = fields.Section("[MS-DFSC] 2.2.5")
	fReferral    = target.Struct("", "Referral")
	fTargetVer   = target.Uint("smb.dfs.referral.version", "Version")
	fTargetSize  = target.Uint("smb.dfs.referral.size", "Size")
	fTargetType  = target.Enum("smb.dfs.referral.server.type", "Server Type", serverType)
	fTargetFlags = target.Hex("smb.dfs.referral.flags", "Flags").List(
		target.Flag(referralNameList, "smb.dfs.referral.flags.name_list_referral", "NameListReferral", "NOT a domain/DC referral response", "A domain/DC referral response"),
		target.Flag(4, "smb.dfs.referral.flags.target_set_boundary", "TargetSetBoundary", "NOT the first target in the target set", "The first target in the target set"))
	fTargetNode   = target.String("smb.dfs.referral.node", "Node")
	fProximity    = target.Uint("smb.dfs.referral.proximity", "Proximity")
	fTargetTTL    = target.Uint("smb.dfs.referral.ttl", "TTL")
	fPathOff      = target.Uint("smb.dfs.referral.path_offset", "Path Offset")
	fAltPathOff   = target.Uint("smb.dfs.referral.alt_path_offset", "Alt Path Offset")
	fNodeOff      = target.Uint("smb.dfs.referral.node_offset", "Node Offset")
	fServiceSite  = target.GUID("smb.dfs.referral.server_guid", "Server GUID")
	fTargetPath   = target.String("smb.dfs.referral.path", "Path")
	fTargetAlt    = target.String("smb.dfs.referral.alt_path", "Alt Path")
	fDomainOff    = target.Uint("smb.dfs.referral.domain_offset", "Domain Offset")
	fExpandedNum  = target.Uint("smb.dfs.referral.number_of_expnames", "Number of Expanded Names")
	fExpandedOff  = target.Uint("smb.dfs.referral.expnames_offset", "Expanded Names Offset")
	fDomainName   = target.String("smb.dfs.referral.domain_name", "Domain Name")
	fExpandedName = target.String("smb.dfs.referral.expname", "Expanded Name")
	fExpanded     = target.Struct("", "Expanded Names")
	fTargetRest   = target.Bytes("smb.unknown_data", "Unknown Data")
)

var (
	referralEx = fields.Section("[MS-DFSC] 2.2.3")
	fExFlags   = referralEx.Hex("", "Request Flags")
	fExLength  = referralEx.Uint("", "Request Data Length")
	fExPathLen = referralEx.Uint("", "Request File Name Length")
	fExSiteLen = referralEx.Uint("", "Site Name Length")
	fExSite    = referralEx.String("", "Site Name")
)

func serverType(v uint64) string {
	switch v {
	case 0:
		return "Non-root targets returned"
	case 1:
		return "Root targets returns"
	}
	return "Unknown"
}

func (m *ReferralRequest) Decode(c *wire.Cursor) {
	m.MaxLevel = c.U16(fMaxLevel)
	m.Path = c.UTF16Z(fReferralFile)
}

func (m *ReferralExRequest) Decode(c *wire.Cursor) {
	*m = ReferralExRequest{}
	m.MaxLevel = c.U16(fMaxLevel)
	m.Flags = c.U16(fExFlags)
	c.U32(fExLength)
	m.Path = c.UTF16(fReferralFile, int(c.U16(fExPathLen)))
	if m.Flags&1 != 0 {
		m.Site = c.UTF16(fExSite, int(c.U16(fExSiteLen)))
	}
}

func (m *ReferralReply) Decode(c *wire.Cursor) {
	m.Consumed = c.U16(fConsumed)
	m.Count = c.U16(fReferralCount)
	m.Flags = c.U16(fReferralFlags)
	c.Skip(fReferralPad, 2)
	list := c.Ahead()
	m.List = list.Bytes(fReferral, list.Len())
	if m.Count == 0 {
		return
	}
	defer c.Close(c.Open(fReferrals))
	names := c.Len() / 2
	for range m.Count {
		if c.Len() == 0 {
			c.Fail(fReferral, wire.ErrShort)
			return
		}
		var r Referral
		r.decode(c, &names)
	}
}

// Each yields the referrals as far as they decode.
func (m *ReferralReply) Each(yield func(Referral) bool) {
	c := wire.New(m.List, nil)
	names := c.Len() / 2
	for range m.Count {
		var r Referral
		if r.decode(&c, &names); c.Err() != nil || !yield(r) {
			return
		}
	}
}

// decode reads an entry, and its texts, which lie behind all entries: their offsets
// count from the start of theirs. Entries may share texts, so names bounds how many
// there are in all: no more than the reply has room for.
func (m *Referral) decode(c *wire.Cursor, names *int) {
	all := *c
	total := uint32(all.Len())
	e := all.Sub(fReferral, all.Len())
	mark := e.Open(fReferral)
	m.Version = e.U16(fTargetVer)
	size := int(e.U16(fTargetSize))
	entry := c.Sub(fTargetSize, max(size, 8)) // at least what is read here, so that the list goes on
	e.Join(&entry)
	m.Root = e.U16(fTargetType) == 1
	m.Flags = e.U16(fTargetFlags)
	switch {
	case m.Version == 1:
		m.Node = e.UTF16Z(fTargetNode)
	case m.Version == 2:
		e.U32(fProximity)
		m.TTL = e.U32(fTargetTTL)
		m.paths(&e, total)
	case m.Version > 4:
		e.Skip(fTargetRest, max(size-8, 0))
	case m.Flags&referralNameList != 0:
		m.TTL = e.U32(fTargetTTL)
		m.domain(&e, total, size, names)
	default:
		m.TTL = e.U32(fTargetTTL)
		m.paths(&e, total)
	}
	e.Close(mark)
	c.Join(&e)
}

// paths reads the offsets of three texts, and the texts.
func (m *Referral) paths(c *wire.Cursor, total uint32) {
	path, alt, node := c.U16(fPathOff), c.U16(fAltPathOff), c.U16(fNodeOff)
	// Some servers leave the GUID out, and have the texts in its place.
	if m.Version > 2 && path >= 34 {
		c.GUID(fServiceSite)
	}
	m.Path = text(c, fTargetPath, path, total)
	m.AltPath = text(c, fTargetAlt, alt, total)
	m.Node = text(c, fTargetNode, node, total)
}

// domain reads a name list: a domain and its controllers.
func (m *Referral) domain(c *wire.Cursor, total uint32, size int, names *int) {
	name, n, expanded := c.U16(fDomainOff), c.U16(fExpandedNum), c.U16(fExpandedOff)
	const fixed = 18
	if size > fixed {
		c.Skip(fTargetRest, size-fixed)
	}
	m.Node = text(c, fDomainName, name, total)
	if n == 0 || expanded == 0 {
		return
	}
	s := c.At(fExpandedName, uint32(expanded), total-uint32(expanded))
	list := s.Ahead()
	m.Expanded = list.Bytes(fExpandedName, list.Len())
	mark := s.Open(fExpanded)
	for range n {
		if *names--; *names < 0 || s.Len() == 0 {
			s.Fail(fExpandedName, wire.ErrShort)
			break
		}
		s.UTF16Z(fExpandedName)
	}
	s.Close(mark)
	c.Join(&s)
}

// text reads the text at off of the total bytes that c began with. There is none at 0.
func text(c *wire.Cursor, f *wire.Field, off uint16, total uint32) wire.UTF16 {
	if off == 0 {
		return nil
	}
	s := c.At(f, uint32(off), total-uint32(off))
	u := s.UTF16Z(f)
	c.Join(&s)
	return u
}
