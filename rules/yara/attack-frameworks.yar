/*
   Written traces of attack frameworks: profiles, decoded settings, job files, tunnels, collected directory data.
*/

rule C2_Traffic_Profile_Text : C2 T1071_001 {
   meta:
      description = "Traffic profile that tells a remote-control framework how to disguise its requests"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1071/001/"
      score = 80
      id = "38f13bf5-0f40-5a25-befa-c5fde34b5862"
   strings:
      $get = /\bhttp-get[ \t]{0,4}("[^"]{0,40}"[ \t]{0,4})?\{/
      $post = /\bhttp-post[ \t]{0,4}("[^"]{0,40}"[ \t]{0,4})?\{/
      $uri = /\bset[ \t]{1,4}uri[ \t]{1,4}"/
      $sleep = /\bset[ \t]{1,4}(sleeptime|jitter|useragent|spawnto_x(86|64))[ \t]{1,4}"/
      $block = /\b(process-inject|post-ex|stage|http-stager|https-certificate)[ \t]{0,4}\{/
   condition:
      filesize < 500KB and $get and $post and $uri and any of ($sleep, $block)
}

rule C2_Beacon_Settings_Text : C2 T1071_001 {
   meta:
      description = "Decoded settings of a remote-control beacon"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1071/001/"
      score = 75
      id = "1987ad0b-8b2b-5579-8681-3359834e0624"
   strings:
      $s1 = "BeaconType" ascii wide
      $s2 = "SleepTime" ascii wide
      $s3 = "C2Server" ascii wide
      $s4 = "HttpPostUri" ascii wide
      $s5 = /Spawnto_x(86|64)/ ascii wide nocase
      $s6 = "Watermark" ascii wide
      $s7 = "PublicKey_MD5" ascii wide
      $s8 = "bProcInject_StartRWX" ascii wide
      $s9 = "KillDate" ascii wide
   condition:
      filesize < 1MB and uint16be(0) != 0x4D5A and uint16be(0) != 0x2321 and $s1 and 5 of them and not extension iequals ".py"
}

rule HKTL_Framework_Job_File : HKTL T1588_002 {
   meta:
      description = "Job file that sets up a handler and payload of an attack framework"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1588/002/"
      score = 60
      id = "68c934fc-e330-56a6-ae82-405f8500c296"
   strings:
      $use = /\buse[ \t]{1,4}(exploit|auxiliary|post)\/[a-z0-9_\/]{4,80}/
      $payload = /\bset[ \t]{1,4}payload[ \t]{1,4}[a-z0-9_]{3,20}\/[a-z0-9_\/]{4,60}/ nocase
      $lhost = /\bset[ \t]{1,4}lhost[ \t]/ nocase
      $go = /\n(exploit|run)([ \t]{1,4}-[a-z]{1,3}){0,2}[ \t]{0,4}(\r?\n|$)/
   condition:
      filesize < 100KB and $use and $payload and $lhost and $go
}

rule HKTL_Reverse_Tunnel_Settings : HKTL T1572 T1090 {
   meta:
      description = "Settings of a reverse tunnel that opens an internal port to the outside"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1572/"
      score = 45
      id = "0883e70e-6413-5e21-8ac9-4e2bc95717be"
   strings:
      $a1 = /(^|\n)server_?addr[ \t]{0,4}=[ \t]{0,4}/ nocase
      $a2 = /\nremote_?port[ \t]{0,4}=[ \t]{0,4}[0-9]{2,5}/ nocase
      $a3 = /\nlocal_?port[ \t]{0,4}=[ \t]{0,4}(22|3389|445|5985|5900|1433)\b/ nocase
      $b1 = /\b(chisel|revsocks|ligolo)(\.exe)?[ \t]{1,4}(client|-connect)[ \t][^\r\n]{4,120}(R:(socks|[0-9.]{0,16}:?[0-9]{2,5})|-pass)/
   condition:
      filesize < 64KB and (all of ($a*) or $b1)
}

rule HKTL_Directory_Collection_JSON : HKTL T1087_002 T1069_002 {
   meta:
      description = "Directory data collected for attack path analysis"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1087/002/"
      score = 70
      id = "51b6770e-05e5-56f1-b321-11274cd3188f"
   strings:
      $meta1 = /"meta"[ ]?:[ ]?\{[^{}]{0,120}"methods"[ ]?:/
      $type = /"type"[ ]?:[ ]?"(computers|users|groups|domains|gpos|ous|containers|sessions)"/
      $f1 = "\"ObjectIdentifier\""
      $f2 = "\"PrimaryGroupSID\""
      $f3 = "\"hasspn\""
      $f4 = "\"AllowedToDelegate\""
      $f5 = "\"PrincipalSID\""
   condition:
      filesize < 200MB and $meta1 and $type and 2 of ($f*)
}

rule HKTL_Password_Spray_Output : HKTL T1110_003 {
   meta:
      description = "Console output of a network login sprayer that found working accounts"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1110/003/"
      score = 65
      id = "e635ee82-63de-50c4-bbca-e585f59fc68d"
   strings:
      $smb = /(SMB|WINRM|LDAP|MSSQL|RDP|SSH)[ ]{2,20}[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}[ ]{1,8}[0-9]{2,5}[ ]{1,8}[^\r\n]{1,40}\[\+\][ ][^\r\n]{3,120}/
      $hydra = /\[[0-9]{2,5}\]\[[a-z0-9-]{2,16}\] host: [^\s]{3,60}[ ]{2,6}login: [^\s]{1,60}[ ]{2,6}password: /
   condition:
      filesize < 20MB and any of them
}
