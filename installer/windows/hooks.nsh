; What the uninstaller does besides what it does by itself. It knows the program that it installed; what
; Moult has put into the user's own folder since then, it does not.
;
; Versions, bundles, caches and state go in any case, since nothing else would ever remove them. What the user
; made (settings, board, widgets' data) goes only if the user asked for that. A portable data folder beside the
; program, or one named by MOULT_DATA, is the user's own affair.
;
; An update runs the uninstaller of the version before it, with $UpdateMode = 1: then programs are ended, and
; everything stays.

; Ends what runs under a name: asked first, so that it saves, and by force five seconds later. The uninstaller of
; one user may not end what another one runs.
!macro MOULT_END PROGRAM
  nsExec::Exec 'taskkill /IM "${PROGRAM}"'
  Pop $0
!macroend

!macro MOULT_END_BY_FORCE PROGRAM
  nsExec::Exec 'taskkill /F /IM "${PROGRAM}"'
  Pop $0
!macroend

!macro NSIS_HOOK_PREUNINSTALL
  ; The application first: it tells its launcher that its user ended it, so it is not started again. It
  ; has the same name in each slot.
  !insertmacro MOULT_END "moult-app.exe"
  Sleep 5000
  !insertmacro MOULT_END_BY_FORCE "moult.exe"
  !insertmacro MOULT_END_BY_FORCE "moult-app.exe"
  !insertmacro MOULT_END_BY_FORCE "moult-rescue.exe"
  ; A file of a program that ends stays locked for a moment.
  Sleep 500
!macroend

; Removes a folder, and once more a moment later: a virus scanner may hold a file of it. What is held even then
; goes with the next start of the computer.
!macro MOULT_REMOVE FOLDER
  RMDir /r "${FOLDER}"
  IfFileExists "${FOLDER}\*.*" 0 +3
    Sleep 1000
    RMDir /r /REBOOTOK "${FOLDER}"
!macroend

!macro NSIS_HOOK_POSTUNINSTALL
  ${If} $UpdateMode <> 1
    SetShellVarContext current
    ; Installed versions and bundles.
    !insertmacro MOULT_REMOVE "$LOCALAPPDATA\Moult\versions"
    !insertmacro MOULT_REMOVE "$LOCALAPPDATA\Moult\bundles"
    !insertmacro MOULT_REMOVE "$LOCALAPPDATA\Moult\staging"
    ; State of the launcher and of updates, and what was last believed of the repository.
    !insertmacro MOULT_REMOVE "$LOCALAPPDATA\Moult\update"
    !insertmacro MOULT_REMOVE "$LOCALAPPDATA\Moult\trust"
    !insertmacro MOULT_REMOVE "$LOCALAPPDATA\Moult\run"
    Delete "$LOCALAPPDATA\Moult\state.*"
    Delete "$LOCALAPPDATA\Moult\companions.*"
    ; Caches of the web view, and what was logged.
    !insertmacro MOULT_REMOVE "$LOCALAPPDATA\Moult\web"
    !insertmacro MOULT_REMOVE "$LOCALAPPDATA\Moult\log"
    ${If} $DeleteAppDataCheckboxState = 1
      !insertmacro MOULT_REMOVE "$LOCALAPPDATA\Moult"
    ${Else}
      ; Only if nothing of the user's is left in it.
      RMDir "$LOCALAPPDATA\Moult"
    ${EndIf}
    ; What the launcher put beside itself: the one before it, and one that waits for its turn.
    Delete "$INSTDIR\moult*.previous*"
    Delete "$INSTDIR\moult*.new*"
    RMDir /r "$INSTDIR\companions"
    RMDir "$INSTDIR"
  ${EndIf}
!macroend
