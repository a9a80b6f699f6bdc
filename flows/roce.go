package flows

// RoCEv2: InfiniBand's transport over UDP.

import (
	"github.com/odxray/odxray/dissect/inet"
	"github.com/odxray/odxray/rdma/ib"
)

// isRoCE reports whether a frame carries a packet of RoCEv2.
func isRoCE(h *inet.Headers) bool { return h.Kind == inet.UDP && h.DstPort == ib.Port }
