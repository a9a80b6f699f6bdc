package ui

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/odxray/odxray/flows"
)

func TestPlain(t *testing.T) {
	var out bytes.Buffer
	src := direct()
	src.res.Copies[0].Source.Path = "evil\x1b[31m\nname"
	if err := Plain(context.Background(), src, "x.pcap", &out); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	for _, want := range []string{
		"x.pcap: 60 frames, 1 connection, complete.\n",
		"Source evil�[31m�name;",
		"\nPage 8, RDMA: 1 line.\n# 1; Client 10.77.0.2; Client QP 0x000012; ",
		"\n  Frames f12–18; Time 0.120000; RDMA write; By server;",
		"\n  bytes 0-3 type, 6-7 length of the id",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if strings.ContainsAny(text, "\x1b\t\r█░") {
		t.Error("it holds more than text")
	}
	out.Reset()
	broken := empty(0, flows.Results{})
	broken.err = errors.New("x.pcap is no capture")
	if err := Plain(context.Background(), broken, "x.pcap", &out); !errors.Is(err, broken.err) || !strings.Contains(out.String(), "Page 1, Copies. Nothing could be read: x.pcap is no capture.") {
		t.Errorf("%v after\n%s", err, out.String())
	}
}
