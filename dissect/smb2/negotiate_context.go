package smb2

import (
	"cmp"
	"fmt"

	"github.com/odxray/odxray/dissect/wire"
)

// NegotiateType tells negotiate contexts apart. [MS-SMB2] 2.2.3.1
type NegotiateType uint16

const (
	NegotiatePreauth     NegotiateType = 0x0001
	NegotiateEncryption  NegotiateType = 0x0002
	NegotiateCompression NegotiateType = 0x0003
	NegotiateNetname     NegotiateType = 0x0005
	NegotiateTransport   NegotiateType = 0x0006
	NegotiateRDMA        NegotiateType = 0x0007
	NegotiateSigning     NegotiateType = 0x0008
	NegotiatePOSIX       NegotiateType = 0x0100
)

var negotiateTypes = map[NegotiateType]string{
	NegotiatePreauth:     "SMB2_PREAUTH_INTEGRITY_CAPABILITIES",
	NegotiateEncryption:  "SMB2_ENCRYPTION_CAPABILITIES",
	NegotiateCompression: "SMB2_COMPRESSION_CAPABILITIES",
	NegotiateNetname:     "SMB2_NETNAME_NEGOTIATE_CONTEXT_ID",
	NegotiateTransport:   "SMB2_TRANSPORT_CAPABILITIES",
	NegotiateRDMA:        "SMB2_RDMA_TRANSFORM_CAPABILITIES",
	NegotiateSigning:     "SMB2_SIGNING_CAPABILITIES",
	NegotiatePOSIX:       "SMB2_POSIX_EXTENSIONS_CAPABILITIES",
}

func (t NegotiateType) String() string { return cmp.Or(negotiateTypes[t], "Unknown") }

// Hash, Cipher, Signing, Compression and RDMATransformType are the codes in contexts.
type (
	Hash              uint16
	Cipher            uint16
	Signing           uint16
	Compression       uint16
	RDMATransformType uint16
)

const (
	SHA512 Hash = 1

	AES128CCM Cipher = 1
	AES128GCM Cipher = 2
	AES256CCM Cipher = 3
	AES256GCM Cipher = 4

	HMACSHA256 Signing = 0
	AESCMAC    Signing = 1
	AESGMAC    Signing = 2

	CompressionNone Compression = 0
	LZNT1           Compression = 1
	LZ77            Compression = 2
	LZ77Huffman     Compression = 3
	PatternV1       Compression = 4
	LZ4             Compression = 5

	RDMAEncryption RDMATransformType = 1
	RDMASigning    RDMATransformType = 2
)

var (
	hashes       = map[Hash]string{SHA512: "SHA-512"}
	ciphers      = map[Cipher]string{AES128CCM: "AES-128-CCM", AES128GCM: "AES-128-GCM", AES256CCM: "AES-256-CCM", AES256GCM: "AES-256-GCM"}
	signings     = map[Signing]string{HMACSHA256: "HMAC-SHA256", AESCMAC: "AES-CMAC", AESGMAC: "AES-GMAC"}
	compressions = map[Compression]string{CompressionNone: "None", LZNT1: "LZNT1", LZ77: "LZ77", LZ77Huffman: "LZ77+Huffman", PatternV1: "Pattern_V1", LZ4: "LZ4"}
	rdmaTypes    = map[RDMATransformType]string{0: "None", RDMAEncryption: "Encryption", RDMASigning: "Signing"}
)

func (v Hash) String() string              { return cmp.Or(hashes[v], "Unknown") }
func (v Cipher) String() string            { return cmp.Or(ciphers[v], "Unknown") }
func (v Signing) String() string           { return cmp.Or(signings[v], "Unknown") }
func (v Compression) String() string       { return cmp.Or(compressions[v], "Unknown") }
func (v RDMATransformType) String() string { return cmp.Or(rdmaTypes[v], "Unknown") }

// NegotiateContexts are the contexts of a NEGOTIATE in dialect 3.1.1. A list is nil
// unless its context is there; all alias the message. [MS-SMB2] 2.2.3.1, 2.2.4.1
type NegotiateContexts struct {
	Hashes           List16 // of Hash
	Salt             []byte
	Ciphers          List16 // of Cipher
	Compressions     List16 // of Compression
	CompressionFlags uint32 // 1: chained
	Signings         List16 // of Signing
	RDMATransforms   List16 // of RDMATransformType
	Netname          wire.UTF16
	Transport        uint32 // 1: the transport is secure enough
	POSIX            bool
}

var (
	negContext  = fields.Section("[MS-SMB2] 2.2.3.1")
	fNegContext = negContext.Struct("", "Negotiate Context").Formatted(func(v uint64) string {
		if s := negotiateTypes[NegotiateType(v)]; s != "" {
			return ": " + s + " "
		}
		return fmt.Sprintf(": Unknown Type: (0x%0x) ", v)
	})
	fNegType   = negContext.Enum("smb2.negotiate_context.type", "Type", wire.Text[NegotiateType]).InHex()
	fNegLength = negContext.Uint("smb2.negotiate_context.data_length", "DataLength")
	fNegRest   = negContext.Bytes("smb2.unknown", "Unknown")

	preauth     = fields.Section("[MS-SMB2] 2.2.3.1.1")
	fHashCount  = preauth.Uint("smb2.negotiate_context.hash_alg_count", "HashAlgorithmCount")
	fSaltLength = preauth.Uint("smb2.negotiate_context.salt_length", "SaltLength")
	fHash       = preauth.Enum("smb2.negotiate_context.hash_algorithm", "HashAlgorithm", wire.Text[Hash]).InHex()
	fSalt       = preauth.Bytes("smb2.negotiate_context.salt", "Salt")

	encryption   = fields.Section("[MS-SMB2] 2.2.3.1.2")
	fCipherCount = encryption.Uint("smb2.negotiate_context.cipher_count", "CipherCount")
	fCipher      = encryption.Enum("smb2.negotiate_context.cipher_id", "CipherId", wire.Text[Cipher]).InHex()

	compressing    = fields.Section("[MS-SMB2] 2.2.3.1.3")
	fCompressCount = compressing.Uint("smb2.negotiate_context.comp_alg_count", "CompressionAlgorithmCount")
	fCompressFlags = compressing.Hex("smb2.negotiate_context.comp_alg_flags", "Flags").List(
		compressing.Flag(1, "smb2.negotiate_context.comp_alg_flags.chained", "Chained", "False", "True"),
		compressing.Hex("smb2.negotiate_context.comp_alg_flags.reserved", "Reserved").In(0xfffffffe))
	fCompress = compressing.Enum("smb2.negotiate_context.comp_alg_id", "CompressionAlgorithmId", wire.Text[Compression]).InHex()

	fNetname   = fields.Section("[MS-SMB2] 2.2.3.1.4").String("smb2.negotiate_context.netname", "Netname")
	fTransport = fields.Section("[MS-SMB2] 2.2.3.1.5").Enum("smb2.negotiate_context.transport_flags", "Flags", func(v uint64) string {
		return cmp.Or(map[uint64]string{1: "SMB2_ACCEPT_TRANSPORT_LEVEL_SECURITY"}[v], "Unknown")
	}).InHex()

	rdmaContext = fields.Section("[MS-SMB2] 2.2.3.1.6")
	fRDMACount  = rdmaContext.Uint("smb2.negotiate_context.rdma_transform_count", "TransformCount")
	fRDMARes1   = rdmaContext.Hex("smb2.negotiate_context.rdma_transform_reserved1", "Reserved1")
	fRDMARes2   = rdmaContext.Hex("smb2.negotiate_context.rdma_transform_reserved2", "Reserved2")
	fRDMAID     = rdmaContext.Enum("smb2.negotiate_context.rdma_transform_id", "RDMATransformId", wire.Text[RDMATransformType]).InHex()

	signingContext = fields.Section("[MS-SMB2] 2.2.3.1.7")
	fSigningCount  = signingContext.Uint("smb2.negotiate_context.signing_alg_count", "SigningAlgorithmCount")
	fSigning       = signingContext.Enum("smb2.negotiate_context.signing_id", "SigningAlgorithmId", wire.Text[Signing]).InHex()

	fNegPOSIX = fields.Section("[SMB3-POSIX] 2.2.3.1.8").Bytes("smb2.negotiate_context.posix_reserved", "POSIX Reserved")
)

// decode reads count contexts from off. Each begins at a multiple of 8 bytes.
func (m *NegotiateContexts) decode(c *wire.Cursor, off uint32, count uint16) {
	if count == 0 {
		return
	}
	all := c.From(fNegContext, off)
	for i := uint16(0); i < count && !all.Failed(); i++ {
		m.context(&all, i < count-1)
	}
	c.Join(&all)
}

func (m *NegotiateContexts) context(c *wire.Cursor, more bool) {
	mark := c.Open(fNegContext)
	t, n := NegotiateType(c.U16(fNegType)), c.U16(fNegLength)
	c.Title(mark, uint64(t), "")
	c.Skip(fReserved, 4)
	data := c.Sub(fNegContext, int(n))
	switch t {
	case NegotiatePreauth:
		count, salt := data.U16(fHashCount), data.U16(fSaltLength)
		m.Hashes = list16(&data, fHash, count)
		m.Salt = data.Bytes(fSalt, int(salt))
	case NegotiateEncryption:
		m.Ciphers = list16(&data, fCipher, data.U16(fCipherCount))
	case NegotiateCompression:
		count := data.U16(fCompressCount)
		data.Skip(fReserved, 2)
		m.CompressionFlags = data.U32(fCompressFlags)
		m.Compressions = list16(&data, fCompress, count)
	case NegotiateNetname:
		m.Netname = data.UTF16(fNetname, data.Len())
	case NegotiateTransport:
		m.Transport = data.U32(fTransport)
	case NegotiateRDMA:
		count := data.U16(fRDMACount)
		data.U16(fRDMARes1)
		data.U32(fRDMARes2)
		m.RDMATransforms = list16(&data, fRDMAID, count)
	case NegotiateSigning:
		m.Signings = list16(&data, fSigning, data.U16(fSigningCount))
	case NegotiatePOSIX:
		m.POSIX = true
		data.Skip(fNegPOSIX, data.Len())
	}
	if data.Len() > 0 {
		data.Skip(fNegRest, data.Len())
	}
	c.Join(&data)
	c.Close(mark)
	if fill := int(-n & 7); more && fill > 0 {
		c.Skip(fPadding, min(fill, c.Len()))
	}
}
