/*
   Stolen or misplaced credentials: what dumping tools leave behind, and secrets in places where they do not belong.
*/

rule HKTL_Logon_Session_Dump_Text : HKTL T1003_001 {
   meta:
      description = "Text printed by a logon-session credential dumper: session header with NTLM and SHA1 fields"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1003/001/"
      score = 90
      id = "e901ba64-d607-59eb-877c-891c6408fe3d"
   strings:
      $head = /Authentication Id : [0-9]{1,10} ; [0-9]{1,12} \([0-9a-f]{8}:[0-9a-f]{8}\)/ ascii wide
      $user = /\* Username[ ]{1,4}: / ascii wide
      $ntlm = /\* NTLM[ ]{1,8}: [0-9a-f]{32}/ ascii wide
      $sha1 = /\* SHA1[ ]{1,8}: [0-9a-f]{40}/ ascii wide
      $part1 = /(wdigest|tspkg|credman|cloudap|ssp) :/ ascii wide
   condition:
      filesize < 20MB and ($head or $part1) and $user and ($ntlm or $sha1)
}

rule HKTL_Account_Hash_Lines : HKTL T1003_002 {
   meta:
      description = "Account hashes in the name:rid:lm:nt form with the empty LM hash"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1003/002/"
      score = 80
      id = "9403cec9-d244-5942-af4a-93fc0c3b7fc4"
   strings:
      $line = /:[0-9]{3,7}:aad3b435b51404eeaad3b435b51404ee:[0-9a-f]{32}:::/ ascii wide nocase
      $admin = /[A-Za-z]{5,20}:500:[0-9a-f]{32}:[0-9a-f]{32}:::/ ascii wide nocase
   condition:
      filesize < 50MB and (#line > 1 or ($line and $admin))
}

rule HKTL_Remote_Secrets_Dump_Text : HKTL T1003_002 T1003_004 {
   meta:
      description = "Console output of a remote dump of SAM, LSA secrets or domain hashes"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1003/002/"
      score = 85
      id = "754586aa-f47b-570c-a36c-28a6a0d6f02b"
   strings:
      $s1 = "Target system bootKey: 0x" ascii wide
      $s2 = "(uid:rid:lmhash:nthash)" ascii wide
      $s3 = "Dumping LSA Secrets" ascii wide
      $s4 = "Dumping cached domain logon information" ascii wide
      $s5 = "(domain\\uid:rid:lmhash:nthash)" ascii wide
      $s6 = "$MACHINE.ACC:plain_password_hex:" ascii wide
   condition:
      filesize < 50MB and uint16be(0) != 0x4D5A and uint16be(0) != 0x2321 and 2 of them and not extension iequals ".py"
}

rule HKTL_Kerberos_Crack_Hashes : HKTL T1558_003 T1558_004 {
   meta:
      description = "Kerberos tickets written as hashes for offline cracking"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1558/003/"
      score = 75
      id = "9689dc0d-6012-5ea4-9ce9-ce5c69ab1da5"
   strings:
      $tgs = /\$krb5tgs\$(17|18|23)\$\*?[^\s$]{1,80}\$[^\s]{1,200}\$[0-9a-fA-F]{200}/
      $asrep = /\$krb5asrep\$(17\$|18\$|23\$)?[^\s$]{3,80}:?\$?[0-9a-fA-F]{32}\$[0-9a-fA-F]{200}/
   condition:
      filesize < 50MB and any of them
}

rule SUSP_Minidump_Of_LSASS : HKTL T1003_001 {
   meta:
      description = "Process dump that holds the security authority's modules: its memory contains credentials"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1003/001/"
      score = 80
      id = "f1f359bf-e8de-55e3-945a-852b97630530"
   strings:
      $m1 = "lsasrv.dll" wide nocase
      $m2 = "lsass.exe" wide nocase
      $m3 = "wdigest.dll" wide nocase
      $m4 = "samsrv.dll" wide nocase
   condition:
      uint32be(0) == 0x4D444D50 and $m2 and 2 of ($m1, $m3, $m4)
}

rule SUSP_Shadow_File_Copy : T1003_008 {
   meta:
      description = "Copy of a Unix password shadow file outside its place"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1003/008/"
      score = 65
      id = "078887f9-c520-53d1-843a-530379096f20"
   strings:
      $root = /\broot:\$(1|2[aby]|5|6|7|y|gy)\$[^:\s]{8,150}:[0-9]{4,6}:[0-9]{0,6}:[0-9]{0,6}:/
      $system = /\n(daemon|bin|nobody|sshd|www-data):[*!]{1,2}:[0-9]{4,6}:/
   condition:
      filesize < 1MB and $root and $system
      and not (filepath endswith "/etc" and (filename == "shadow" or filename == "shadow-"))
}

rule SUSP_Private_Key_In_Web_Root : T1552_004 {
   meta:
      description = "Private key lies where a web server may hand it out"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1552/004/"
      score = 65
      id = "8cc0f043-d748-534f-bcb0-938e39d1cab7"
   strings:
      $key = /-----BEGIN (RSA |EC |DSA |OPENSSH |ENCRYPTED )?PRIVATE KEY-----/
   condition:
      filesize < 64KB and $key in (0..4096)
      and filepath matches /[\/\\](htdocs|inetpub[\/\\]wwwroot|public_html|var[\/\\]www|webapps[\/\\]ROOT)([\/\\]|$)/i
}

rule SUSP_Cloud_Access_Key_Pair : T1552_001 {
   meta:
      description = "Long-term cloud access key with its secret in a plain file"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1552/001/"
      score = 45
      id = "45c0d8b0-0c04-55f8-93d3-21f3c82dea3d"
   strings:
      $id = /\b(AKIA)[A-Z0-9]{16}\b/
      $secret = /secret[_-]?(access[_-]?)?key["']?[ \t]{0,4}[:=][ \t]{0,4}["']?[A-Za-z0-9\/+]{40}\b/ nocase
      $doc = "EXAMPLEKEY"
   condition:
      filesize < 1MB and $id and $secret and not $doc
      and not (filepath iendswith ".aws" and filename == "credentials")
}

rule SUSP_Group_Policy_Password : T1552_006 {
   meta:
      description = "Group policy preference file with a password that anyone in the domain can decrypt"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1552/006/"
      score = 70
      id = "faa92e41-06aa-5146-b356-37acff65de8c"
   strings:
      $pass = /cpassword="[A-Za-z0-9+\/=]{16,200}"/
      $kind1 = /<(Groups|Drives|ScheduledTasks|NTServices|DataSources|Printers) clsid="/
      $kind2 = "<Properties "
   condition:
      filesize < 1MB and all of them
}

rule SUSP_Stolen_Browser_Logins_Text : MAL T1555_003 {
   meta:
      description = "Long list of site, user and password in the layout that password stealers write"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1555/003/"
      score = 60
      id = "bc587e30-5747-5100-8be8-0304b9da0839"
   strings:
      $entry = /(URL|Url|Host): https?:\/\/[^\r\n]{4,120}\r?\n(Username|Login|User|USER): [^\r\n]{1,80}\r?\n(Password|PASS|Pass): [^\r\n]{1,80}\r?\n(Application|Browser|Soft|Storage): [^\r\n]{3,60}/
   condition:
      filesize < 20MB and #entry > 2
}
