package dtyp

import (
	"cmp"

	"github.com/odxray/odxray/dissect/wire"
)

// token is a part of a conditional expression, which is in postfix order: operands
// first. [MS-DTYP] 2.4.4.17
type token uint8

const (
	tokenInt64       token = 0x04 // and the three before it: all have 64 bits
	tokenString      token = 0x10
	tokenOctets      token = 0x18
	tokenComposite   token = 0x50
	tokenSID         token = 0x51
	tokenLocal       token = 0xf8
	tokenUser        token = 0xf9
	tokenResource    token = 0xfa
	tokenDevice      token = 0xfb
	conditionMagic         = "artx"
	compositeNesting       = 4 // a set in a set makes no sense; more is an attack
)

var tokens = map[token]string{
	0x00: "PAD", 0x01: "INT8", 0x02: "INT16", 0x03: "INT32", tokenInt64: "INT64", tokenString: "UNICODE_STRING", tokenOctets: "OCTET_STRING",
	tokenComposite: "COMPOSITE", tokenSID: "SID",
	0x80: "==", 0x81: "!=", 0x82: "<", 0x83: "<=", 0x84: ">", 0x85: ">=", 0x86: "CONTAINS", 0x87: "EXISTS", 0x88: "ANY_OF",
	0x89: "MEMBER_OF", 0x8a: "DEVICE_MEMBER_OF", 0x8b: "MEMBER_OF_ANY", 0x8c: "DEVICE_MEMBER_OF_ANY", 0x8d: "NOT_EXISTS",
	0x8e: "NOT_CONTAINS", 0x8f: "NOT_ANY_OF", 0x90: "NOT_MEMBER_OF", 0x91: "NOT_DEVICE_MEMBER_OF", 0x92: "NOT_MEMBER_OF_ANY",
	0x93: "NOT_DEVICE_MEMBER_OF_ANY", 0xa0: "AND", 0xa1: "OR", 0xa2: "NOT",
	tokenLocal: "LOCAL_ATTRIBUTE", tokenUser: "USER_ATTRIBUTE", tokenResource: "RESOURCE_ATTRIBUTE", tokenDevice: "DEVICE_ATTRIBUTE",
}

func (t token) String() string { return cmp.Or(tokens[t], "Unknown") }

var (
	condition    = fields.Section("[MS-DTYP] 2.4.4.17")
	fCondition   = condition.Struct("nt.ace.cond", "Conditional Expression")
	fMagic       = condition.ASCII("", "Signature")
	fToken       = condition.Enum("nt.ace.cond.token", "Token", wire.Text[token]).InHex()
	fTokenLength = condition.Uint("", "Length")
	fTokenValue  = [...]*wire.Field{
		1: condition.Int("nt.ace.cond.value_int8", "INT8"),
		2: condition.Int("nt.ace.cond.value_int16", "INT16"),
		3: condition.Int("nt.ace.cond.value_int32", "INT32"),
		4: condition.Int("nt.ace.cond.value_int64", "INT64"),
	}
	fSign = condition.Enum("nt.ace.cond.sign", "SIGN", func(v uint64) string {
		return cmp.Or(map[uint64]string{1: "PLUS", 2: "MINUS", 3: "NONE"}[v], "Unknown")
	}).InHex()
	fBase = condition.Enum("nt.ace.cond.base", "BASE", func(v uint64) string {
		return cmp.Or(map[uint64]string{1: "OCT", 2: "DEC", 3: "HEX"}[v], "Unknown")
	}).InHex()
	fTokenString = condition.String("nt.ace.cond.value_string", "UNICODE_STRING")
	fTokenOctets = condition.Bytes("nt.ace.cond.value_octet_string", "OCTET_STRING")
	fLocal       = condition.String("nt.ace.cond.local_attr", "LOCAL_ATTRIBUTE")
	fUser        = condition.String("nt.ace.cond.user_attr", "USER_ATTRIBUTE")
	fResource    = condition.String("nt.ace.cond.resource_attr", "RESOURCE_ATTRIBUTE")
	fDevice      = condition.String("nt.ace.cond.device_attr", "DEVICE_ATTRIBUTE")
	fSet         = condition.Bytes("", "Set")
)

func isCondition(c *wire.Cursor) bool {
	look := c.Ahead()
	return c.Len() >= 4 && string(look.Bytes(fMagic, 4)) == conditionMagic
}

func decodeCondition(c *wire.Cursor) {
	defer c.Close(c.Open(fCondition))
	c.Skip(fMagic, 4)
	decodeTokens(c, compositeNesting)
}

func decodeTokens(c *wire.Cursor, nesting int) {
	for c.Len() > 0 {
		decodeToken(c, nesting)
	}
}

func decodeToken(c *wire.Cursor, nesting int) {
	t := token(c.U8(fToken))
	mark := c.Below(fToken)
	switch {
	case t > 0 && t <= tokenInt64:
		c.U64(fTokenValue[t])
		c.U8(fSign)
		c.U8(fBase)
	case t == tokenString:
		c.UTF16(fTokenString, int(c.U32(fTokenLength)))
	case t == tokenOctets:
		c.Bytes(fTokenOctets, int(c.U32(fTokenLength)))
	case t == tokenComposite:
		set := c.Sub(fSet, int(c.U32(fTokenLength)))
		if nesting > 0 {
			decodeTokens(&set, nesting-1)
		} else {
			set.Skip(fSet, set.Len())
		}
		c.Join(&set)
	case t == tokenSID:
		user := c.Sub(fSID, int(c.U32(fTokenLength)))
		var s SID
		s.Decode(&user)
		c.Join(&user)
	case t == tokenLocal:
		c.UTF16(fLocal, int(c.U32(fTokenLength)))
	case t == tokenUser:
		c.UTF16(fUser, int(c.U32(fTokenLength)))
	case t == tokenResource:
		c.UTF16(fResource, int(c.U32(fTokenLength)))
	case t == tokenDevice:
		c.UTF16(fDevice, int(c.U32(fTokenLength)))
	}
	c.End(mark)
}
