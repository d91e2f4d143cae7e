/*
   Log rules (file name tag `log`): judged on one log line or event text at a time.
*/

rule LOG_Web_Shell_Command_Answered : EXPL WEBSHELL T1505_003 {
   meta:
      description = "Script request with a shell command as parameter was answered with success"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1505/003/"
      score = 75
      id = "2e3efa0c-1ce0-5559-b332-4e8f87d9bc77"
   strings:
      $a = /(GET|POST) [^ ?]{1,150}\.(php[3457]?|phtml|jspx?|aspx?|ashx|cfm)\?[^ ]{0,60}(cmd|c|exec|command|x|run)=(whoami|id|uname|cat(\+|%20)|net(\+|%20)user|ipconfig|ifconfig|wget(\+|%20)|curl(\+|%20)|certutil|powershell)/ nocase
      $ok = /HTTP\/[0-9.]{1,3}" 200 /
   condition:
      all of them
}

rule LOG_Web_Request_JNDI_Lookup : EXPL T1190 CVE_2021_44228 {
   meta:
      description = "Logged text holds a remote lookup expression for Java loggers"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://nvd.nist.gov/vuln/detail/CVE-2021-44228"
      score = 65
      id = "d7601e1c-1a2d-5687-9fd8-2af058b6abcd"
   strings:
      $plain = /\$\{jndi:(ldaps?|rmi|dns|iiop):/ nocase
      $coded = /%24(\{|%7b)jndi(:|%3a)/ nocase
      $split = /\$\{(lower|upper|env|sys|:)?:?-?j\}[^\r\n]{0,40}\$\{/ nocase
   condition:
      any of them
}

rule LOG_Web_Request_SQL_Injection : EXPL T1190 {
   meta:
      description = "Logged request carries SQL that joins foreign tables"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1190/"
      score = 50
      id = "a6a098c4-2c31-53ba-a9e8-f43b8a01fc10"
   strings:
      $a = /(GET|POST) [^ ]{1,400}union(\+|%20|%09|\/\*[^ ]{0,20}\*\/){1,4}(all(\+|%20){1,4})?select/ nocase
      $b = /(GET|POST) [^ ]{1,400}information_schema\./ nocase
   condition:
      any of them
}

rule LOG_SSH_Root_Login_By_Password : T1078_003 T1021_004 {
   meta:
      description = "The superuser logged in over the network with a password"
      author = "Thunderstorm project"
      date = "2026-11-22"
      reference = "https://attack.mitre.org/techniques/T1078/003/"
      score = 40
      id = "ea418c51-30c8-5aa5-bdb5-622535a6a850"
   strings:
      $a = /sshd\[[0-9]{1,9}\]: Accepted password for root from /
   condition:
      $a
}
