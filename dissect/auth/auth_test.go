package auth

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/dissect/wire/wiretest"
)

// el is a BER element of parts.
func el(tag uint8, parts ...string) string {
	b := strings.Join(parts, "")
	if len(b) < 0x80 {
		return string([]byte{tag, byte(len(b))}) + b
	}
	return string([]byte{tag, 0x82, byte(len(b) >> 8), byte(len(b))}) + b
}

// ctx is an element [n] of parts.
func ctx(n uint8, parts ...string) string { return el(contextTag+n, parts...) }

func num(n uint8) string  { return el(integerTag, string([]byte{n})) }
func str(s string) string { return el(stringTag, s) }

func princ(kind uint8, names ...string) string {
	for i := range names {
		names[i] = str(names[i])
	}
	return el(sequenceTag, ctx(0, num(kind)), ctx(1, el(sequenceTag, names...)))
}

func encPart(extra string) string {
	return el(sequenceTag, ctx(0, num(18)), extra, ctx(2, el(octetStringTag, "\xca\xfe\xca\xfe")))
}

var (
	kerberosOID = el(oidTag, mechs[Kerberos5].oid)
	msKerberos  = el(oidTag, mechs[MSKerberos5].oid)
	ntlmOID     = el(oidTag, mechs[NTLM].oid)
	spnegoOID   = el(oidTag, mechs[SPNEGOMech].oid)

	ticket = el(0x61, el(sequenceTag, ctx(0, num(5)), ctx(1, str("LAB.TEST")), ctx(2, princ(2, "cifs", "dc1.lab.test")), ctx(3, encPart(ctx(1, num(1))))))
	apReq  = el(apReqTag, el(sequenceTag, ctx(0, num(5)), ctx(1, num(14)), ctx(2, el(bitStringTag, "\x00\x20\x00\x00\x00")), ctx(3, ticket), ctx(4, encPart(""))))
	apRep  = el(apRepTag, el(sequenceTag, ctx(0, num(5)), ctx(1, num(15)), ctx(2, encPart(""))))
	skew   = el(errorTag, el(sequenceTag, ctx(0, num(5)), ctx(1, num(30)),
		ctx(2, el(timeTag, "20261120075400Z")), ctx(3, num(7)), ctx(4, el(timeTag, "20261120075441Z")), ctx(5, el(integerTag, "\x0a\x2e\x7a")),
		ctx(6, num(37)), ctx(7, str("LAB.TEST")), ctx(8, princ(1, "kuser")), ctx(9, str("LAB.TEST")), ctx(10, princ(2, "cifs", "dc1.lab.test")), ctx(11, str("look at your clock")),
		ctx(12, el(octetStringTag, el(sequenceTag, ctx(1, num(3)), ctx(2, el(octetStringTag, "\x33\x01\x00\xc0\x00\x00\x00\x00\x01\x00\x00\x00")))))))
)

// samples feed every test below.
var samples = []struct {
	name string
	b    []byte
	want string // what describe says
	info string
	also int // so many bytes of it are a message, too
}{
	{
		name: "server_hint",
		b: wiretest.Unhex(
			"604806062b0601050502a03e303ca00e300c060a2b06010401823702020aa32a3028a0261b246e6f745f646566696e65645f696e5f52464334313738",
			"40706c656173655f69676e6f7265"),
		want: "SPNEGO init NTLM",
	},
	{
		name: "ntlm_negotiate",
		b: wiretest.Unhex(
			"604806062b0601050502a03e303ca00e300c060a2b06010401823702020aa22a04284e544c4d53535000010000001582086200000000280000000000",
			"000028000000060100000000000f"),
		want: "NTLM, SPNEGO init NTLM, type 1 flags 62088215 version 6.1.0",
		info: ", NTLMSSP_NEGOTIATE",
	},
	{
		name: "ntlm_challenge",
		b: wiretest.Unhex(
			"a1819c308199a0030a0101a10c060a2b06010401823702020aa281830481804e544c4d53535000020000000c000c003800000015828a628b6d26b52f",
			"4720b500000000000000003c003c0044000000060100000000000f4c004100420053005200560002000c004c004100420053005200560001000c004c",
			"0041004200530052005600040000000300040076006d00070008004e76aa87c078dd0100000000"),
		want: `NTLM, SPNEGO accept-incomplete NTLM, type 2 flags 628a8215 version 6.1.0, target "LABSRV" LABSRV\LABSRV vm.`,
		info: ", NTLMSSP_CHALLENGE",
	},
	{
		name: "ntlm_authenticate",
		b: wiretest.Unhex(
			"a182019c30820198a28201800482017c4e544c4d53535000030000001800180058000000d800d800700000000c000c00480100000c000c0054010000",
			"0c000c0060010000100010006c01000015820862060100000000000f3beb27faeb1b73514de3002d115e1b1f00000000000000000000000000000000",
			"00000000000000001fee81e5c3859d11d943d5738b86cd8e01010000000000004e76aa87c078dd01401c6864e5ba7a180000000002000c004c004100",
			"420053005200560001000c004c0041004200530052005600040000000300040076006d00070008004e76aa87c078dd01060004000200000008003000",
			"30000000000000000000000000000000d9320b55a46f2b603aa940664b8b7404627f72acaf7223569a1cb7325e03e2630a0010000000000000000000",
			"000000000000000009001c0063006900660073002f00310030002e00370037002e0030002e0031000000000053004d0042004c00410042006e006f00",
			"73007500630068004c004100420043004c004900b2417a3dfc312ed37b234891e2550cfea312041001000000effdfc83d9061e8500000000"),
		want: `NTLM, SPNEGO  , type 3 flags 62088215 version 6.1.0, "SMBLAB"\"nosuch" at "LABCLI", target "" LABSRV\LABSRV vm. means cifs/10.77.0.1`,
		info: `, NTLMSSP_AUTH, User: SMBLAB\nosuch`,
	},
	{
		name: "ntlm_raw_oem",
		b: []byte(signature + "\x01\x00\x00\x00" + "\x02\x30\x00\x00" + "\x06\x00\x06\x00\x26\x00\x00\x00" + "\x06\x00\x06\x00\x20\x00\x00\x00" +
			"LABCLI" + "SMBLAB"),
		want: `NTLM, type 1 flags 3002, "SMBLAB"\"" at "LABCLI"`,
		info: ", NTLMSSP_NEGOTIATE",
		also: 16,
	},
	{
		name: "kerberos_ap_req",
		b: []byte(el(applicationTag, spnegoOID, ctx(0, el(sequenceTag, ctx(0, el(sequenceTag, msKerberos, kerberosOID, ntlmOID)),
			ctx(2, el(octetStringTag, el(applicationTag, kerberosOID, "\x01\x00", apReq))))))),
		want: "Kerberos, SPNEGO init Kerberos Kerberos NTLM, krb-ap-req cifs/dc1.lab.test of LAB.TEST, eTYPE-AES256-CTS-HMAC-SHA1-96",
	},
	{
		name: "kerberos_ap_rep",
		b: []byte(ctx(1, el(sequenceTag, ctx(0, el(enumTag, "\x00")), ctx(1, msKerberos), ctx(2, el(octetStringTag, el(applicationTag, kerberosOID, "\x02\x00", apRep))),
			ctx(3, el(octetStringTag, "\x04\x04\x05\xff\xff\xff\xff\xff\x00\x00\x00\x00\x11\xad\x28\xcf\x9d\x1d\xd6\xde\xe5\xc3\xd9\x7d\x67\x9b\x18\x40"))))),
		want: "Kerberos, SPNEGO accept-completed Kerberos, krb-ap-rep  of , eTYPE-AES256-CTS-HMAC-SHA1-96",
	},
	{
		name: "kerberos_error",
		b:    []byte(ctx(1, el(sequenceTag, ctx(0, el(enumTag, "\x02")), ctx(2, el(octetStringTag, el(applicationTag, kerberosOID, "\x03\x00", skew)))))),
		want: `Kerberos, SPNEGO reject , krb-error cifs/dc1.lab.test of LAB.TEST, eTYPE-NULL, kuser of LAB.TEST: KRB_AP_ERR_SKEW "look at your clock" STATUS_TIME_DIFFERENCE_AT_DC`,
	},
	{
		name: "kerberos_without_spnego",
		b:    []byte(el(applicationTag, kerberosOID, "\x01\x00", apReq)),
		want: "Kerberos, krb-ap-req cifs/dc1.lab.test of LAB.TEST, eTYPE-AES256-CTS-HMAC-SHA1-96",
	},
}

// describe says what a message holds.
func describe(m *Message) string {
	var b strings.Builder
	b.WriteString(m.Mechanism.String())
	if s := &m.SPNEGO; s.Kind != None {
		fmt.Fprint(&b, ", SPNEGO")
		if s.Kind == Init {
			fmt.Fprint(&b, " init")
		} else {
			fmt.Fprint(&b, " ", s.State, " ", s.Supported)
		}
		for _, mech := range s.Mechs {
			if mech != Unknown {
				fmt.Fprint(&b, " ", mech)
			}
		}
	}
	if n := &m.NTLM; n.Type != 0 {
		fmt.Fprintf(&b, ", type %d flags %x", uint32(n.Type), uint32(n.Flags))
		if n.Flags&NegotiateVersion != 0 {
			fmt.Fprintf(&b, " version %d.%d.%d", n.Version.Major, n.Version.Minor, n.Version.Build)
		}
		if len(n.Domain.Raw)+len(n.Workstation.Raw) > 0 {
			fmt.Fprintf(&b, ", %q\\%q at %q", n.Domain, n.User, n.Workstation)
		}
		if i := &n.Info; i.NetBIOSComputer != nil {
			fmt.Fprintf(&b, ", target %q %s\\%s %s.%s", n.Target, i.NetBIOSDomain, i.NetBIOSComputer, i.DNSComputer, i.DNSDomain)
			if i.TargetName != nil {
				fmt.Fprintf(&b, " means %s", i.TargetName)
			}
		}
	}
	if k := &m.Kerberos; k.Type != 0 {
		fmt.Fprintf(&b, ", %s %s of %s, %s", k.Type, k.Server, k.Realm, k.EType)
		if k.Error != 0 {
			fmt.Fprintf(&b, ", %s of %s: %s %q %s", k.Client, k.ClientRealm, k.Error, k.Text, k.Status)
		}
	}
	return strings.TrimPrefix(b.String(), ", ")
}

func TestMain(m *testing.M) {
	time.Local = time.UTC // times print in the local zone
	os.Exit(m.Run())
}

func TestDecode(t *testing.T) {
	for _, s := range samples {
		var m Message
		c := wire.New(s.b, nil)
		Decode(&c, &m)
		if got := describe(&m); c.Err() != nil || got != s.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", s.name, c.Err(), got, s.want)
		}
		if got := string(m.AppendInfo(nil)); got != s.info {
			t.Errorf("%s: info %q, want %q", s.name, got, s.info)
		}
	}
}

// TestGolden compares trees with testdata.
func TestGolden(t *testing.T) {
	for _, s := range samples {
		var tree wire.Tree
		var m Message
		var got bytes.Buffer
		c := wire.New(s.b, &tree)
		Decode(&c, &m)
		tree.Text(&got)
		wiretest.Golden(t, s.name, got.Bytes())
	}
}

// TestPrefixes takes every prefix of every blob for one that lies about its length,
// and for one that the capture cut.
func TestPrefixes(t *testing.T) {
	for _, s := range samples {
		for i := 1; i < len(s.b); i++ {
			if i == s.also {
				continue
			}
			var m Message
			c := wire.New(s.b[:i], nil)
			if Decode(&c, &m); !errors.Is(c.Err(), wire.ErrShort) {
				t.Errorf("%s: %d of %d bytes: %v", s.name, i, len(s.b), c.Err())
			}
			c = wire.NewCut(s.b[:i], len(s.b), nil)
			if Decode(&c, &m); !errors.Is(c.Err(), wire.ErrTruncated) {
				t.Errorf("%s: cut after %d of %d bytes: %v", s.name, i, len(s.b), c.Err())
			}
		}
	}
}

// TestOdd takes blobs that are not what they ought to be.
func TestOdd(t *testing.T) {
	resp := func(token string) string { return ctx(1, el(sequenceTag, ctx(2, el(octetStringTag, token)))) }
	for _, tt := range []struct {
		name, b string
		mech    Mech
		err     error
	}{
		{"nothing", "", Unknown, nil},
		{"noise", "\x00\x01\x02", Unknown, nil},
		{"a mechanism nobody knows", el(applicationTag, el(oidTag, "\x2a\x03"), "abc"), Unknown, nil},
		{"an unknown token", resp("abc"), Unknown, nil},
		{"NegoEx", resp("NEGOEXTS and more"), NegoEx, nil},
		{"an empty token", resp(""), Unknown, nil},
		{"a raw AP-REQ", apReq, Kerberos5, nil},
		{"a raw AP-REQ in SPNEGO", resp(apReq), Kerberos5, nil},
		{"a token of Kerberos that is not a message of it", resp(el(applicationTag, kerberosOID, "\x04\x00abc")), Kerberos5, nil},
		{"NTLMSSP of type 4", signature + "\x04\x00\x00\x00", NTLM, errMessageType},
		{"almost NTLMSSP", signature[:7] + "!\x01\x00\x00\x00", Unknown, nil},
		{"a set where a sequence belongs", ctx(1, el(0x31)), Unknown, errTag},
		{"an element of unknown length", "\xa1\x80\x30\x00\x00\x00", Unknown, wire.ErrBER},
		{"a ticket within a ticket", resp(el(apReqTag, el(sequenceTag, ctx(3, ctx(3, ticket))))), Kerberos5, errTag},
	} {
		var m Message
		c := wire.New([]byte(tt.b), new(wire.Tree))
		if Decode(&c, &m); m.Mechanism != tt.mech || !errors.Is(c.Err(), tt.err) {
			t.Errorf("%s: %v, %v", tt.name, m.Mechanism, c.Err())
		}
	}
}

// TestOffer: more mechanisms than are kept, and one without a name.
func TestOffer(t *testing.T) {
	offer := strings.Repeat(ntlmOID, 7) + el(oidTag, "\x2a\x03") + kerberosOID
	var m Message
	var tree wire.Tree
	c := wire.New([]byte(ctx(0, el(sequenceTag, ctx(0, el(sequenceTag, offer))))), &tree)
	Decode(&c, &m)
	want := [8]Mech{NTLM, NTLM, NTLM, NTLM, NTLM, NTLM, NTLM, Unknown}
	if line := tree.Line(3); c.Err() != nil || m.SPNEGO.Mechs != want || line != "mechTypes: 9 items" {
		t.Errorf("%v, %v, %q", m.SPNEGO.Mechs, c.Err(), line)
	}
}

// TestAllocs keeps decoding, and looking at it, free of garbage.
func TestAllocs(t *testing.T) {
	var m Message
	var tree wire.Tree
	info := make([]byte, 0, 100)
	for _, s := range samples {
		for name, arena := range map[string]*wire.Tree{"no tree": nil, "a reused tree": &tree} {
			if n := testing.AllocsPerRun(100, func() {
				if arena != nil {
					arena.Reset()
				}
				c := wire.New(s.b, arena)
				Decode(&c, &m)
				m.AppendInfo(info)
			}); n != 0 {
				t.Errorf("%s: %v allocations with %s", s.name, n, name)
			}
		}
	}
}

// FuzzDecode feeds anything, cut anywhere: no panic, no node outside the blob, and
// neither a tree nor what was decoded before changes the outcome.
func FuzzDecode(f *testing.F) {
	for _, s := range samples {
		f.Add(s.b, uint16(0))
		f.Add(s.b[:len(s.b)/2], uint16(len(s.b)-len(s.b)/2))
	}
	var used Message
	f.Fuzz(func(t *testing.T, b []byte, missing uint16) {
		var tree wire.Tree
		var fresh Message
		c := wire.NewCut(b, len(b)+int(missing), &tree)
		bare := wire.NewCut(b, len(b)+int(missing), nil)
		Decode(&c, &fresh)
		Decode(&bare, &used)
		if !reflect.DeepEqual(fresh, used) || !reflect.DeepEqual(c.Err(), bare.Err()) {
			t.Fatalf("%+v, %v\nwithout a tree %+v, %v", fresh, c.Err(), used, bare.Err())
		}
		var e *wire.Error
		if err := c.Err(); err != nil && (!errors.As(err, &e) || missing == 0 && errors.Is(err, wire.ErrTruncated)) {
			t.Fatal(err)
		}
		for _, n := range tree.Nodes {
			if n.Field.Kind != wire.KindStruct && !n.Generated && uint64(n.Off)+uint64(n.Len) > uint64(len(b)) {
				t.Fatalf("%s at %d+%d of %d", n.Field.Label, n.Off, n.Len, len(b))
			}
		}
		tree.Dump(new(bytes.Buffer))
		fresh.AppendInfo(nil)
		describe(&fresh)
	})
}
