package flows

import (
	"slices"

	"github.com/odxray/odxray/dissect/auth"
	"github.com/odxray/odxray/dissect/dtyp"
	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/inet"
	"github.com/odxray/odxray/dissect/netbios"
	"github.com/odxray/odxray/dissect/odx"
	"github.com/odxray/odxray/dissect/rpc"
	"github.com/odxray/odxray/dissect/smb1"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/rdma/ib"
	"github.com/odxray/odxray/rdma/iwarp"
	"github.com/odxray/odxray/rdma/smbd"
)

// Fields lists every field that a Detail or a List can record.
func Fields() []*wire.Field {
	return slices.Concat(wire.Fields(), inet.Fields(), netbios.Fields(), smb1.Fields(), smb2.Fields(), fscc.Fields(), odx.Fields(), dtyp.Fields(), auth.Fields(), rpc.Fields(), ib.Fields(), iwarp.Fields(), smbd.Fields(), fields.All())
}

var (
	fields   wire.Set
	framing  = fields.Section("[RFC1002] 4.3.1")
	fSession = framing.Bytes("", "Session service frame") // names failures only: netbios shows it
)
