package auth

import (
	"cmp"
	"strings"
)

// KerberosError says what was wrong with a ticket, or with the request for one.
// RFC 4120 7.5.9, RFC 4556 3.1.3
type KerberosError int32

var kerberosErrors = map[KerberosError]string{
	0:  "KDC_ERR_NONE",
	1:  "KDC_ERR_NAME_EXP",
	2:  "KDC_ERR_SERVICE_EXP",
	3:  "KDC_ERR_BAD_PVNO",
	4:  "KDC_ERR_C_OLD_MAST_KVNO",
	5:  "KDC_ERR_S_OLD_MAST_KVNO",
	6:  "KDC_ERR_C_PRINCIPAL_UNKNOWN",
	7:  "KDC_ERR_S_PRINCIPAL_UNKNOWN",
	8:  "KDC_ERR_PRINCIPAL_NOT_UNIQUE",
	9:  "KDC_ERR_NULL_KEY",
	10: "KDC_ERR_CANNOT_POSTDATE",
	11: "KDC_ERR_NEVER_VALID",
	12: "KDC_ERR_POLICY",
	13: "KDC_ERR_BADOPTION",
	14: "KDC_ERR_ETYPE_NOSUPP",
	15: "KDC_ERR_SUMTYPE_NOSUPP",
	16: "KDC_ERR_PADATA_TYPE_NOSUPP",
	17: "KDC_ERR_TRTYPE_NOSUPP",
	18: "KDC_ERR_CLIENT_REVOKED",
	19: "KDC_ERR_SERVICE_REVOKED",
	20: "KDC_ERR_TGT_REVOKED",
	21: "KDC_ERR_CLIENT_NOTYET",
	22: "KDC_ERR_SERVICE_NOTYET",
	23: "KDC_ERR_KEY_EXP",
	24: "KDC_ERR_PREAUTH_FAILED",
	25: "KDC_ERR_PREAUTH_REQUIRED",
	26: "KDC_ERR_SERVER_NOMATCH",
	27: "KDC_ERR_MUST_USE_USER2USER",
	28: "KDC_ERR_PATH_NOT_ACCEPTED",
	29: "KDC_ERR_SVC_UNAVAILABLE",
	31: "KRB_AP_ERR_BAD_INTEGRITY",
	32: "KRB_AP_ERR_TKT_EXPIRED",
	33: "KRB_AP_ERR_TKT_NYV",
	34: "KRB_AP_ERR_REPEAT",
	35: "KRB_AP_ERR_NOT_US",
	36: "KRB_AP_ERR_BADMATCH",
	37: "KRB_AP_ERR_SKEW",
	38: "KRB_AP_ERR_BADADDR",
	39: "KRB_AP_ERR_BADVERSION",
	40: "KRB_AP_ERR_MSG_TYPE",
	41: "KRB_AP_ERR_MODIFIED",
	42: "KRB_AP_ERR_BADORDER",
	43: "KRB_AP_ERR_ILL_CR_TKT",
	44: "KRB_AP_ERR_BADKEYVER",
	45: "KRB_AP_ERR_NOKEY",
	46: "KRB_AP_ERR_MUT_FAIL",
	47: "KRB_AP_ERR_BADDIRECTION",
	48: "KRB_AP_ERR_METHOD",
	49: "KRB_AP_ERR_BADSEQ",
	50: "KRB_AP_ERR_INAPP_CKSUM",
	51: "KRB_AP_PATH_NOT_ACCEPTED",
	52: "KRB_ERR_RESPONSE_TOO_BIG",
	60: "KRB_ERR_GENERIC",
	61: "KRB_ERR_FIELD_TOOLONG",
	62: "KDC_ERROR_CLIENT_NOT_TRUSTED",
	63: "KDC_ERROR_KDC_NOT_TRUSTED",
	64: "KDC_ERROR_INVALID_SIG",
	65: "KDC_ERR_KEY_TOO_WEAK",
	66: "KDC_ERR_CERTIFICATE_MISMATCH",
	67: "KRB_AP_ERR_NO_TGT",
	68: "KDC_ERR_WRONG_REALM",
	69: "KRB_AP_ERR_USER_TO_USER_REQUIRED",
	70: "KDC_ERR_CANT_VERIFY_CERTIFICATE",
	71: "KDC_ERR_INVALID_CERTIFICATE",
	72: "KDC_ERR_REVOKED_CERTIFICATE",
	73: "KDC_ERR_REVOCATION_STATUS_UNKNOWN",
	74: "KDC_ERR_REVOCATION_STATUS_UNAVAILABLE",
	75: "KDC_ERR_CLIENT_NAME_MISMATCH",
	76: "KDC_ERR_KDC_NAME_MISMATCH",
}

// String returns the name that the specifications give the error.
func (e KerberosError) String() string { return cmp.Or(kerberosErrors[e], "Unknown") }

// field returns the name in the form in which tshark prints it, eRR-SKEW.
func (e KerberosError) field() string {
	name := e.String()
	for _, prefix := range []string{"KDC_", "KRB_AP_", "KRB_"} {
		if s, ok := strings.CutPrefix(name, prefix); ok {
			return strings.ToLower(s[:1]) + strings.ReplaceAll(s[1:], "_", "-")
		}
	}
	return name
}

// EType is an encryption type. RFC 3961 8, as registered with IANA
type EType int32

var eTypes = map[EType]string{
	-4101: "CRAM-MD5-NONE",
	-4100: "DIGEST-MD5-NONE",
	-4099: "DES-PCBC-NONE",
	-4098: "DES-CFB64-NONE",
	-4097: "DES3-CBC-NONE",
	-4096: "DES-CBC-NONE",
	-135:  "ARCFOUR-HMAC-OLD-EXP",
	-133:  "ARCFOUR-HMAC-OLD",
	-128:  "ARCFOUR-MD4",
	0:     "NULL",
	1:     "DES-CBC-CRC",
	2:     "DES-CBC-MD4",
	3:     "DES-CBC-MD5",
	5:     "DES3-CBC-MD5",
	7:     "OLD-DES3-CBC-SHA1",
	8:     "SIGN-DSA-GENERATE",
	9:     "DSA-SHA1",
	10:    "RSA-MD5",
	11:    "RSA-SHA1",
	12:    "RC2-CBC",
	13:    "RSA",
	14:    "RSAES-OAEP",
	15:    "DES-EDE3-CBC",
	16:    "DES3-CBC-SHA1",
	17:    "AES128-CTS-HMAC-SHA1-96",
	18:    "AES256-CTS-HMAC-SHA1-96",
	19:    "AES128-CTS-HMAC-SHA256-128",
	20:    "AES256-CTS-HMAC-SHA384-192",
	23:    "ARCFOUR-HMAC-MD5",
	24:    "ARCFOUR-HMAC-MD5-56",
	25:    "CAMELLIA128-CTS-CMAC",
	26:    "CAMELLIA256-CTS-CMAC",
	48:    "ENCTYPE-PK-CROSS",
}

func (t EType) String() string {
	if name, ok := eTypes[t]; ok {
		return "eTYPE-" + name
	}
	return "Unknown"
}

// NameType says what a principal's name is of. RFC 4120 6.2
type NameType int32

var nameTypes = map[NameType]string{
	-195894762: "SRV-HST-NEEDS-CANON",
	-1203:      "CACHE-UUID",
	-1202:      "GSS-HOSTBASED-SERVICE",
	-1201:      "X509-GENERAL-NAME",
	-1200:      "NTLM",
	-130:       "ENT-PRINCIPAL-AND-ID",
	-129:       "MS-PRINCIPAL-AND-ID",
	-128:       "MS-PRINCIPAL",
	0:          "UNKNOWN",
	1:          "PRINCIPAL",
	2:          "SRV-INST",
	3:          "SRV-HST",
	4:          "SRV-XHST",
	5:          "UID",
	6:          "X500-PRINCIPAL",
	7:          "SMTP-NAME",
	10:         "ENTERPRISE-PRINCIPAL",
	11:         "WELLKNOWN",
	12:         "SRV-HST-DOMAIN",
}

func (t NameType) String() string {
	if name, ok := nameTypes[t]; ok {
		return "kRB5-NT-" + name
	}
	return "Unknown"
}

// tokenID tells the tokens of the mechanism; the numbers are as tshark reads them.
// RFC 4121 4.1, RFC 1964 1.1, [MS-KILE] 3.4.5.1
type tokenID uint16

var tokenIDs = map[tokenID]string{
	0x0001: "KRB5_AP_REQ",
	0x0002: "KRB5_AP_REP",
	0x0003: "KRB5_ERROR",
	0x0004: "KERB_TGT_REQUEST",
	0x0101: "KRB5_GSS_GetMIC",
	0x0102: "KRB5_GSS_Wrap",
	0x0104: "KERB_TGT_REPLY",
	0x0201: "KRB5_GSS_Delete_sec_context",
	0x0404: "KRB_TOKEN_CFX_GetMic",
	0x0405: "KRB_TOKEN_CFX_WRAP",
}

func (t tokenID) String() string { return cmp.Or(tokenIDs[t], "Unknown") }
