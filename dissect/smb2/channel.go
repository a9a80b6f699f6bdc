package smb2

import (
	"cmp"
	"fmt"

	"github.com/odxray/odxray/dissect/wire"
)

// Channel says what follows a READ or WRITE request: nothing, or where the data goes
// or lies in the client's memory. [MS-SMB2] 2.2.19
type Channel uint32

const (
	ChannelNone           Channel = 0
	ChannelRDMA           Channel = 1
	ChannelRDMAInvalidate Channel = 2 // the server shall invalidate the first token
	ChannelRDMATransform  Channel = 3 // the data is encrypted or signed
)

var channels = map[Channel]string{
	ChannelNone: "None", ChannelRDMA: "RDMA V1", ChannelRDMAInvalidate: "RDMA V1_INVALIDATE", ChannelRDMATransform: "RDMA TRANSFORM",
}

func (ch Channel) String() string { return cmp.Or(channels[ch], "Unknown") }

// Descriptor is a region of the client's memory. [MS-SMBD] 2.2.3.1
type Descriptor struct {
	Offset uint64 // address
	Token  uint32 // steering tag or remote key
	Length uint32 // bytes
}

// Descriptors is a list of them as it lies on the wire.
type Descriptors []byte

const descriptorSize = 16

// Len returns how many there are.
func (l Descriptors) Len() int { return len(l) / descriptorSize }

// At returns one of them.
func (l Descriptors) At(i int) (d Descriptor) {
	c := wire.New(l[i*descriptorSize:], nil)
	d.decode(&c)
	return d
}

// RDMATransform is how the data that descriptors lead to was transformed. [MS-SMB2] 2.2.43
type RDMATransform struct {
	Channel   Channel // of the descriptors
	Count     uint16  // of transforms
	Type      uint16  // of the first: 1 encrypted, 2 signed. [MS-SMB2] 2.2.43.1
	Signature []byte  // aliases the message
	Nonce     []byte  // aliases the message
}

var (
	channelInfo = fields.Section("[MS-SMB2] 2.2.19, 2.2.21")
	fChannel    = channelInfo.Enum("smb2.channel", "Channel", wire.Text[Channel]).InHex()
	fRemaining  = channelInfo.Uint("smb2.remaining_bytes", "Remaining Bytes")
	fBlob       = channelInfo.Struct("smb2.channel_info_blob", "Channel Info Blob").Formatted(func(n uint64) string {
		if n == 0 {
			return ""
		}
		return fmt.Sprintf(": SMBDirect Buffer Descriptor V1: (%d elements)", n)
	})
	fBlobRest = channelInfo.Bytes("smb2.unknown", "Unknown")

	descriptors       = fields.Section("[MS-SMBD] 2.2.3.1")
	fDescriptor       = descriptors.Struct("", "RDMA V1")
	fDescriptorOffset = descriptors.Uint("smb2.buffer_descriptor.offset", "Offset")
	fDescriptorToken  = descriptors.Hex("smb2.buffer_descriptor.token", "Token")
	fDescriptorLength = descriptors.Uint("smb2.buffer_descriptor.length", "Length")

	rdmaTransform   = fields.Section("[MS-SMB2] 2.2.43")
	fRDMATransform  = rdmaTransform.Struct("", "RDMA Transform")
	fTransformCount = rdmaTransform.Uint("", "TransformCount")
	fTransform      = fields.Section("[MS-SMB2] 2.2.43.1").Struct("", "RDMA Crypto Transform")
	fTransformType  = rdmaTransform.Enum("", "TransformType", func(v uint64) string {
		return cmp.Or(map[uint64]string{1: "Encryption", 2: "Signing"}[v], "Unknown")
	}).InHex()
	fSignatureLength = rdmaTransform.Uint("", "SignatureLength")
	fNonceLength     = rdmaTransform.Uint("", "NonceLength")
	fCryptoSign      = rdmaTransform.Bytes("", "Signature")
	fCryptoNonce     = rdmaTransform.Bytes("", "Nonce")
)

func (d *Descriptor) decode(c *wire.Cursor) {
	defer c.Close(c.Open(fDescriptor))
	d.Offset = c.U64(fDescriptorOffset)
	d.Token = c.U32(fDescriptorToken)
	d.Length = c.U32(fDescriptorLength)
}

// channelBlob reads what the offset and length pair at the start of pair points at.
func channelBlob(c, pair *wire.Cursor, ch Channel, t *RDMATransform) (l Descriptors) {
	off, n := pair16(pair)
	c.Join(pair)
	if n == 0 {
		mark := c.Open(fBlob)
		c.Title(mark, 0, "NO DATA")
		c.Close(mark)
		return nil
	}
	blob := c.At(fBlob, off, n)
	defer c.Join(&blob)
	mark := blob.Open(fBlob)
	defer blob.Close(mark)
	switch ch {
	case ChannelRDMA, ChannelRDMAInvalidate:
		blob.Title(mark, uint64(n/descriptorSize), "")
		return descriptorList(&blob)
	case ChannelRDMATransform:
		return t.decode(&blob)
	}
	blob.Skip(fBlobRest, blob.Len())
	return nil
}

// descriptorList reads all that is left of c.
func descriptorList(c *wire.Cursor) Descriptors {
	look := c.Ahead()
	l := Descriptors(look.Bytes(fBlob, look.Len()))
	for c.Len() > 0 {
		var d Descriptor
		d.decode(c)
	}
	return l
}

func (t *RDMATransform) decode(c *wire.Cursor) (l Descriptors) {
	defer c.Close(c.Open(fRDMATransform))
	whole := c.Sub(fRDMATransform, c.Len()) // the offset counts from here
	off, n := pair16(&whole)
	t.Channel = Channel(whole.U32(fChannel))
	t.Count = whole.U16(fTransformCount)
	whole.Skip(fReserved, 6)
	for i := range t.Count {
		var typ uint16
		var sign, nonce []byte
		mark := whole.Open(fTransform)
		typ = whole.U16(fTransformType)
		signLen, nonceLen := whole.U16(fSignatureLength), whole.U16(fNonceLength)
		whole.Skip(fReserved, 2)
		sign = whole.Bytes(fCryptoSign, int(signLen))
		nonce = whole.Bytes(fCryptoNonce, int(nonceLen))
		// "so the channel information, if any, after this structure starts at the
		// first 8-byte aligned offset"
		if fill := int(-(signLen + nonceLen) & 7); fill > 0 && whole.Len() > 0 {
			whole.Skip(fPadding, min(fill, whole.Len()))
		}
		whole.Close(mark)
		if i == 0 {
			t.Type, t.Signature, t.Nonce = typ, sign, nonce
		}
		if whole.Failed() {
			break
		}
	}
	list := at(&whole, fDescriptor, uint32(off), uint32(n))
	l = descriptorList(&list)
	c.Join(&list)
	c.Join(&whole)
	return l
}
